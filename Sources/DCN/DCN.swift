@_exported public import DCNGraph
@_exported public import DCNRuntime
