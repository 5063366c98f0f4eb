internal import COnnxProto
internal import DCNGraph

/// The type that a message states; nil when it states none. Maps, opaque and sparse values are not supported.
func valueType(_ proto: UnsafePointer<Onnx__TypeProto>) throws(TensorFault) -> ValueType? {
    let message = proto.pointee
    switch message.value_case {
    case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
        guard let tensor = message.tensor_type?.pointee, tensor.elem_type != 0 else { return nil }
        return .tensor(TensorType(try elementType(tensor.elem_type), tensor.shape.map { shape($0) }))
    case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
        guard let element = message.sequence_type?.pointee.elem_type else { return nil }
        return try valueType(element).map { .sequence($0) }
    case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
        guard let element = message.optional_type?.pointee.elem_type else { return nil }
        return try valueType(element).map { .optional($0) }
    case ONNX__TYPE_PROTO__VALUE_MAP_TYPE: throw .unsupported("a map as a value")
    case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE: throw .unsupported("a sparse tensor as a value")
    case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE: throw .unsupported("an opaque value")
    default: return nil
    }
}

/// Extents as stated; negative ones, which exporters write for what they don't know, are unknown.
private func shape(_ proto: UnsafePointer<Onnx__TensorShapeProto>) -> Shape {
    Shape(messages(proto.pointee.dim, proto.pointee.n_dim).map { dimension($0.pointee) })
}

private func dimension(_ message: Onnx__TensorShapeProto__Dimension) -> Dimension {
    switch message.value_case {
    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
        message.dim_value < 0 ? .unknown : .fixed(Int(message.dim_value))
    case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
        message.dim_param.len == 0 ? .unknown : .symbol(message.dim_param.text)
    default: .unknown
    }
}
