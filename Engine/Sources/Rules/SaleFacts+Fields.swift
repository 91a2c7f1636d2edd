internal import Money

extension SaleFacts {
    /// What the sale has in a field; nil for nothing. With an `item`, `sku`, `category` and `amount` are the item's.
    func value(of field: ConditionField, memberID: String?, item: SaleItem?) -> FactValue? {
        switch field {
        case .country: country.map { .text($0) }
        case .sku: texts(item.map { [$0.sku] } ?? items.map(\.sku))
        case .category: texts((item.map { [$0] } ?? items).compactMap(\.category))
        case .amount: .integer((item?.amount ?? amount).minor)
        case .currency: .text(currency.code)
        case .customerIsNew: .bool(customerIsNew)
        case .saleNumber: .integer(saleNumber)
        case .monthsSinceFirstSale: .integer(monthsSinceFirstSale)
        case .couponUsed: couponUsed.map { .text($0) }
        case .memberTotal(let name): memberID.flatMap { memberTotals[$0]?[name] }.map { .integer($0) }
        case .memberGroup: memberID.flatMap { memberGroups[$0] }.map { .text($0) }
        case .memberTier: memberID.map { .integer(memberTiers[$0] ?? 0) }
        case .memberVariant: memberID.flatMap { memberVariants[$0] }.flatMap { texts($0) }
        case .metadata(let key): metadata[key]
        }
    }

    private func texts(_ texts: [String]) -> FactValue? {
        texts.isEmpty ? nil : .texts(texts)
    }
}
