internal import CKernels

/// The caches that choices at conversion assume, so that a converted file is the same wherever it is made.
let assumedCaches = dcn_caches(level1: 48 << 10, level2: 1 << 20, level3: 32 << 20)

/// The caches of this machine.
let machineCaches = dcn_read_caches()

/// Whether an output of so many bytes is written past the caches: little of it would be left when it is read. A last
/// level is shared, in a cloud by strangers too, so that no more of it is counted on than sixteen times the second.
func isStreamed(byteCount: Int) -> Bool {
    byteCount > min(machineCaches.level3 / 2, 16 * machineCaches.level2)
}
