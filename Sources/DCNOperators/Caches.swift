internal import CKernels

/// The caches that choices at conversion assume, so that a converted file is the same wherever it is made.
let assumedCaches = dcn_caches(level1: 48 << 10, level2: 1 << 20, level3: 32 << 20)

/// The caches of this machine.
let machineCaches = dcn_read_caches()
