import Foundation
import PackagePlugin

/// Puts templates, schema, catalogue, styles, scripts, images and the fetched third-party files into the binary, as one generated Swift file.
@main
struct EmbedFiles: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? SourceModuleTarget else { return [] }
        let root = target.directoryURL
        let kinds: [(name: String, files: [File])] = [
            ("templates", files(below: root, extensions: ["mustache"], isDeep: true)),
            ("schema", files(below: root.appending(path: "Schema"), extensions: ["sql"], isDeep: false)),
            ("clickSchema", files(below: root.appending(path: "Schema/Clicks"), extensions: ["sql"], isDeep: false)),
            ("keySchema", files(below: root.appending(path: "Schema/Keys"), extensions: ["sql"], isDeep: false)),
            ("catalogue", files(below: root.appending(path: "Catalogue"), extensions: ["json"], isDeep: false)),
            ("styles", files(below: root.appending(path: "Layout/styles"), extensions: ["css", "svg"], isDeep: true)),
            // Scripts of pages, and those that other people's pages load, which stand with their feature.
            ("scripts", files(below: root, extensions: ["js"], isDeep: true)),
            ("images", files(below: root.appending(path: "Layout/images"), extensions: nil, isDeep: true)),
            ("vendor", files(below: context.package.directoryURL.appending(path: "vendor"), extensions: nil, isDeep: true)),
        ]
        // Samples show templates while they are written; they are named here only so that the build doesn't call them unhandled.
        let samples = files(below: root, extensions: ["json"], isDeep: true).filter { $0.name.hasSuffix(".sample.json") }
        let inputs = kinds.flatMap { $0.files.map(\.url) } + samples.map(\.url)
        if target.kind == .test {
            // The tests beside the features cover the same folder. Naming the files keeps the build from calling them unhandled; nothing is made.
            return [
                .buildCommand(
                    displayName: "Leaving files to the application", executable: try context.tool(named: "embed").url, arguments: [],
                    inputFiles: inputs, outputFiles: [])
            ]
        }
        let output = context.pluginWorkDirectoryURL.appending(path: "Embedded.swift")
        var arguments = [output.path(percentEncoded: false)]
        for kind in kinds {
            arguments += ["--kind", kind.name]
            for file in kind.files { arguments += [file.name, file.url.path(percentEncoded: false)] }
        }
        return [
            .buildCommand(
                displayName: "Embedding files", executable: try context.tool(named: "embed").url, arguments: arguments,
                inputFiles: inputs, outputFiles: [output])
        ]
    }

    private struct File {
        /// The path below the folder.
        let name: String
        let url: URL
    }

    /// Files below a folder, sorted by name; none when the folder is missing. Hidden files are left out; nil means any extension.
    private func files(below folder: URL, extensions: Set<String>?, isDeep: Bool) -> [File] {
        let path = folder.path(percentEncoded: false)
        let names = isDeep
            ? (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? [])
            : ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
        return names.sorted().compactMap { name in
            let url = folder.appending(path: name)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: url.path(percentEncoded: false), isDirectory: &isFolder), !isFolder.boolValue,
                !url.lastPathComponent.hasPrefix("."), extensions?.contains(url.pathExtension) ?? true
            else { return nil }
            return File(name: name, url: url)
        }
    }
}
