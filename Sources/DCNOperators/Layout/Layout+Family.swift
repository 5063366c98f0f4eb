extension Family {
    /// Changes of how bytes lie: made by passes, spelled by nobody.
    static let layouts = Family([Relayout.self, ChannelsToBack.self, ChannelsToFront.self], [:])
}
