internal import COnnxProto
internal import DCNGraph

extension CompiledWriter {
    func type(_ type: ValueType) -> UnsafeMutablePointer<Dcn__Type> {
        let message = arena.make(dcn__type__init)
        switch type {
        case .tensor(let tensor):
            message.pointee.form_case = DCN__TYPE__FORM_TENSOR
            message.pointee.tensor = self.tensor(tensor)
        case .sequence(let element):
            message.pointee.form_case = DCN__TYPE__FORM_SEQUENCE
            message.pointee.sequence = self.type(element)
        case .optional(let element):
            message.pointee.form_case = DCN__TYPE__FORM_OPTIONAL_OF
            message.pointee.optional_of = self.type(element)
        }
        return message
    }

    private func tensor(_ type: TensorType) -> UnsafeMutablePointer<Dcn__Type__Tensor> {
        let message = arena.make(dcn__type__tensor__init)
        (message.pointee.has_element, message.pointee.element) = (1, UInt32(type.element.rawValue))
        (message.pointee.has_layout, message.pointee.layout) = (1, UInt32(type.layout.rawValue))
        (message.pointee.has_ranked, message.pointee.ranked) = (1, type.shape == nil ? 0 : 1)
        let dimensions = (type.shape?.dimensions ?? []).map(dimension)
        (message.pointee.n_dimensions, message.pointee.dimensions) = (
            dimensions.count, arena.messages(dimensions)
        )
        return message
    }

    private func dimension(_ dimension: Dimension) -> UnsafeMutablePointer<Dcn__Dimension> {
        let message = arena.make(dcn__dimension__init)
        switch dimension {
        case .fixed(let extent):
            message.pointee.extent_case = DCN__DIMENSION__EXTENT_FIXED
            message.pointee.fixed = UInt64(extent)
        case .symbol(let name):
            message.pointee.extent_case = DCN__DIMENSION__EXTENT_SYMBOL
            message.pointee.symbol = arena.bytes(name)
        case .unknown: break
        }
        return message
    }
}
