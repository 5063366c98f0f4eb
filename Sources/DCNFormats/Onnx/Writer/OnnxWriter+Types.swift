internal import COnnxProto
internal import DCNGraph

extension OnnxWriter {
    func value(_ value: SourceValue) -> UnsafeMutablePointer<Onnx__ValueInfoProto> {
        let message = arena.make(onnx__value_info_proto__init)
        (message.pointee.has_name, message.pointee.name) = (1, arena.bytes(value.name))
        if let type = value.type { message.pointee.type = self.type(type) }
        return message
    }

    func type(_ type: ValueType) -> UnsafeMutablePointer<Onnx__TypeProto> {
        let message = arena.make(onnx__type_proto__init)
        switch type {
        case .tensor(let type):
            let tensor = arena.make(onnx__type_proto__tensor__init)
            (tensor.pointee.has_elem_type, tensor.pointee.elem_type) = (1, Int32(type.element.rawValue))
            if let shape = type.shape { tensor.pointee.shape = self.shape(shape) }
            message.pointee.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
            message.pointee.tensor_type = tensor
        case .sequence(let element):
            let sequence = arena.make(onnx__type_proto__sequence__init)
            sequence.pointee.elem_type = self.type(element)
            message.pointee.value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE
            message.pointee.sequence_type = sequence
        case .optional(let element):
            let optional = arena.make(onnx__type_proto__optional__init)
            optional.pointee.elem_type = self.type(element)
            message.pointee.value_case = ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE
            message.pointee.optional_type = optional
        }
        return message
    }

    private func shape(_ shape: Shape) -> UnsafeMutablePointer<Onnx__TensorShapeProto> {
        let message = arena.make(onnx__tensor_shape_proto__init)
        let dimensions = shape.dimensions.map { dimension in
            let message = arena.make(onnx__tensor_shape_proto__dimension__init)
            switch dimension {
            case .fixed(let extent):
                message.pointee.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
                message.pointee.dim_value = Int64(extent)
            case .symbol(let name):
                message.pointee.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                message.pointee.dim_param = arena.bytes(name)
            case .unknown: break
            }
            return message
        }
        (message.pointee.n_dim, message.pointee.dim) = (dimensions.count, arena.messages(dimensions))
        return message
    }
}
