internal import COnnxProto
internal import DCNGraph

/// The messages of a repeated field.
///
/// Safe while the unpacked file lives: protobuf-c gives `count` pointers, none of them null.
func messages<M>(_ list: UnsafeMutablePointer<UnsafeMutablePointer<M>?>?, _ count: Int) -> [UnsafePointer<M>]
{
    UnsafeBufferPointer(start: list, count: list == nil ? 0 : count).compactMap {
        $0.map { UnsafePointer($0) }
    }
}

/// The numbers or byte strings of a repeated field, copied.
func values<T>(_ list: UnsafeMutablePointer<T>?, _ count: Int) -> [T] {
    Array(UnsafeBufferPointer(start: list, count: list == nil ? 0 : count))
}

extension ProtobufCBinaryData {
    /// The bytes as they lie in the unpacked file.
    var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: data, count: data == nil ? 0 : len) }
    /// The bytes, copied.
    var byteString: ByteString { ByteString(Array(buffer)) }
    /// The text, broken UTF-8 replaced: for what is shown and for what is compared with names of ours.
    var text: String { String(decoding: buffer, as: UTF8.self) }
}
