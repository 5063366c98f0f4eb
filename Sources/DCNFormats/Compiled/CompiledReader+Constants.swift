internal import COnnxProto
internal import DCNGraph

extension CompiledReader {
    func datum(_ proto: UnsafePointer<Dcn__Constant>, _ place: String) throws(DCNError) -> Datum {
        let message = proto.pointee
        guard let stated = message.type else { throw error("\(place) has no type") }
        let items = messages(message.items, message.n_items)
        switch try type(stated) {
        case .tensor(let type): return .tensor(try tensor(type, message, place))
        case .sequence(let element):
            var values: [Datum] = []
            for item in items { values.append(try self.item(item, of: element, place)) }
            return .sequence(DatumList(values), of: element)
        case .optional(let element):
            guard items.count < 2 else {
                throw error("\(place) holds \(items.count) values, expected one at most")
            }
            return .optional(
                try items.first.map { (item) throws(DCNError) in try self.item(item, of: element, place) },
                of: element)
        }
    }

    private func item(
        _ proto: UnsafePointer<Dcn__Constant>, of type: ValueType, _ place: String
    ) throws(DCNError) -> Datum {
        let datum = try datum(proto, place)
        let fits: Bool =
            switch (datum.type, type) {
            case (.tensor(let got), .tensor(let wanted)): got.element == wanted.element
            case (let got, let wanted): got == wanted
            }
        guard fits else { throw error("\(place) holds \(datum.type), expected \(type)") }
        return datum
    }

    private func tensor(_ type: TensorType, _ message: Dcn__Constant, _ place: String) throws(DCNError)
        -> Tensor
    {
        guard let extents = type.extents, let count = type.byteCount, type.elementCount != nil else {
            throw error("\(place) is \(type): its size can't be counted")
        }
        if type.element == .string {
            let strings = values(message.strings, message.n_strings).map(\.byteString)
            guard let tensor = Tensor(extents: extents, strings: strings) else {
                throw error("\(place) has \(strings.count) strings, expected \(type)")
            }
            return tensor
        }
        guard message.has_section != 0 else {
            guard count == 0, let tensor = Tensor(type, storage: Storage(uninitialised: 0)) else {
                throw error("\(place) has no bytes, expected \(count)")
            }
            return tensor
        }
        guard Int(message.section) < sections.count, case let range = sections[Int(message.section)],
            range.count == count, let tensor = Tensor(type, storage: storage, byteOffset: range.lowerBound)
        else { throw error("\(place) is \(type), whose \(count) bytes its section does not hold") }
        if type.element == .bool, tensor.withBytes({ $0.contains { $0 > 1 } }) {
            throw error("\(place) holds a boolean that is neither 0 nor 1")
        }
        return tensor
    }

    func type(_ proto: UnsafePointer<Dcn__Type>) throws(DCNError) -> ValueType {
        let message = proto.pointee
        switch message.form_case {
        case DCN__TYPE__FORM_TENSOR:
            if let tensor = message.tensor { return .tensor(try self.tensor(tensor.pointee)) }
        case DCN__TYPE__FORM_SEQUENCE:
            if let element = message.sequence { return .sequence(try type(element)) }
        case DCN__TYPE__FORM_OPTIONAL_OF:
            if let element = message.optional_of { return .optional(try type(element)) }
        default: break
        }
        throw error("has a type that says nothing")
    }

    private func tensor(_ message: Dcn__Type__Tensor) throws(DCNError) -> TensorType {
        guard let element = ElementType(rawValue: Int(message.element)) else {
            throw error("has element type \(message.element), which is not defined")
        }
        guard let layout = UInt8(exactly: message.layout).flatMap(Layout.init) else {
            throw error("has layout \(message.layout), which is not defined")
        }
        guard message.ranked != 0 else { return TensorType(element, nil, layout: layout) }
        var dimensions: [Dimension] = []
        for dimension in messages(message.dimensions, message.n_dimensions) {
            switch dimension.pointee.extent_case {
            case DCN__DIMENSION__EXTENT_FIXED:
                guard let extent = Int(exactly: dimension.pointee.fixed) else {
                    throw error("has extent \(dimension.pointee.fixed)")
                }
                dimensions.append(.fixed(extent))
            case DCN__DIMENSION__EXTENT_SYMBOL: dimensions.append(.symbol(dimension.pointee.symbol.text))
            default: dimensions.append(.unknown)
            }
        }
        return TensorType(element, Shape(dimensions), layout: layout)
    }
}
