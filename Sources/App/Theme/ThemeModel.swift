import Web

/// The page of the theme editor.
struct ThemeModel: PageModel {
    var draft: ThemeDraft
    var theme: Theme
    var errors: [ThemeDraft.Fault]
    var isRefused: Bool
    var isPreview: Bool
    var logoFault: ThemeLogo.Fault?
    var workspace: Workspace
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var page: PageObject {
        let contrast = ThemeContrast.of(theme)
        let failing = contrast.filter { !$0.passes }
        return [
            "heading": .text(say("title")), "refused": isRefused ? .text(say("refused")) : nil,
            "note": isPreview ? .text(say("unsaved")) : nil, "form": mayWrite ? .object(form.page) : nil,
            "frames": PageValue(
                frames.map { PageObject(["url": .text("\(ThemePages.path)/preview?\(draft.query)&only=\($0.rawValue)"), "title": .text(say("frame.\($0.rawValue)"))]) }),
            "failing": PageValue(failing.map { PageObject(["text": .text(words($0))]) }), "hasFailing": .flag(!failing.isEmpty),
            "contrast": .object(table(contrast).page),
            "logo": [
                "picture": PageValue(workspace.logoURL.map { PageObject(["url": .text($0), "name": .text(workspace.name)]) }),
                "upload": mayWrite ? ["token": .text(csrfToken), "error": PageValue(logoFault.map(words))] : nil,
                "removal": mayWrite && workspace.logoURL != nil
                    ? .object(
                        PageForm(
                            action: ThemePages.path + "/logo-removal", buttons: [PageForm.Button(label: say("logoRemove"), style: "btn-plain")],
                            csrfToken: csrfToken
                        ).page) : nil,
            ],
        ]
    }

    private var frames: [Theme.Scheme] { theme.scheme == .auto ? [.light, .dark] : [theme.scheme] }

    private var form: PageForm {
        var accentError: String?
        var radiusError: String?
        var linesError: String?
        for error in errors {
            switch error {
            case .accent: accentError = say("error.accent")
            case .radius: radiusError = language("theme.error.radius", ["maximum": String(Theme.radiusMaxPx)])
            case .lines(let faults): linesError = faults.prefix(5).map(words).joined(separator: " ")
            }
        }
        let names = ThemeToken.names.map(\.text).joined(separator: ", ")
        return PageForm(
            action: ThemePages.path,
            fields: [
                .line("accent", say("accent"), draft.accent, type: "color", help: say("accentHelp"), error: accentError),
                .line("radius", say("radius"), draft.radius, type: "number", help: say("radiusHelp"), error: radiusError, suffix: "px"),
                FormField(
                    name: "typeface", label: say("typeface"), help: say("typefaceHelp"),
                    control: .select(Theme.Typeface.allCases.map { .init(value: $0.rawValue, label: say("typeface.\($0.rawValue)"), isChosen: draft.typeface == $0.rawValue) })),
                FormField(
                    name: "scheme", label: say("scheme"),
                    control: .select(Theme.Scheme.allCases.map { .init(value: $0.rawValue, label: say("scheme.\($0.rawValue)"), isChosen: draft.scheme == $0.rawValue) })),
                FormField(
                    name: "tokens", label: say("tokens"), help: language("theme.tokensHelp", ["names": names]), error: linesError,
                    control: .area(draft.tokens, rows: 6), isMono: true, lengthMax: ThemeLines.lengthMax),
            ],
            buttons: [
                PageForm.Button(label: say("save")), PageForm.Button(label: say("look"), name: "step", value: "preview", style: "btn-plain"),
            ], csrfToken: csrfToken)
    }

    private func table(_ contrast: [ThemeContrast]) -> PageTable {
        PageTable(
            label: say("contrast"),
            columns: [
                PageTable.Column(label: say("column.pair")), PageTable.Column(label: say("column.theme")), PageTable.Column(label: say("column.colours"), isExtra: true),
                PageTable.Column(label: say("column.ratio"), isNumber: true), PageTable.Column(label: say("column.needs"), isNumber: true, isExtra: true),
                PageTable.Column(label: say("column.verdict")),
            ],
            rows: contrast.map { one in
                PageTable.Row(cells: [
                    .text(say("pair.\(one.pair.name)")), .text(say(one.isDark ? "scheme.dark" : "scheme.light")), .mono("\(one.front.hex) / \(one.back.hex)"),
                    .number(one.ratioText), .number(ThemeContrast.text(one.pair.minimum)),
                    one.passes ? .badge(say("passes"), tone: "good", icon: "check") : .badge(say("fails"), tone: "bad", icon: "warning"),
                ])
            }, language: language)
    }

    private func words(_ one: ThemeContrast) -> String {
        let values = [
            "pair": say("pair.\(one.pair.name)"), "scheme": say(one.isDark ? "scheme.dark" : "scheme.light"), "ratio": one.ratioText,
            "needs": ThemeContrast.text(one.pair.minimum),
        ]
        guard let help = one.help(theme) else { return language("theme.failing", values) }
        return language("theme.failingWithHelp", values.merging(["token": help.token, "colour": help.colour.hex]) { one, _ in one })
    }

    private func words(_ fault: ThemeLines.Fault) -> String {
        switch fault.fault {
        case .unknownName: language("theme.error.name", ["line": fault.line])
        case .noColour: language("theme.error.colour", ["line": fault.line])
        case .noLength(let range): language("theme.error.length", ["line": fault.line, "from": "\(range.lowerBound)px", "to": "\(range.upperBound)px"])
        }
    }

    private func words(_ fault: ThemeLogo.Fault) -> String {
        switch fault {
        case .tooLarge: language("theme.error.logoSize", ["kilobytes": String(ThemeLogo.bytesMax / 1024)])
        case .noPicture: say("error.logoKind")
        case .tooManyPixels: language("theme.error.logoPixels", ["pixels": String(ThemeLogo.pixelsMax)])
        }
    }

    private func say(_ key: String) -> String { language("theme.\(key)") }
}
