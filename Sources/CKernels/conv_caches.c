#include "conv_private.h"
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/sysctl.h>

static ptrdiff_t conv_cache(const char *name, ptrdiff_t otherwise) {
    int64_t bytes = 0;
    size_t size = sizeof bytes;
    if (sysctlbyname(name, &bytes, &size, 0, 0) != 0 || bytes <= 0) return otherwise;
    return (ptrdiff_t)bytes;
}

dcn_caches dcn_read_caches(void) {
    return (dcn_caches){conv_cache("hw.l1dcachesize", 32 << 10), conv_cache("hw.l2cachesize", 512 << 10),
                        conv_cache("hw.l3cachesize", 8 << 20)};
}

#elif defined(_SC_LEVEL1_DCACHE_SIZE)

static ptrdiff_t conv_cache(int name, ptrdiff_t otherwise) {
    const long bytes = sysconf(name);
    return bytes > 0 ? (ptrdiff_t)bytes : otherwise;
}

dcn_caches dcn_read_caches(void) {
    return (dcn_caches){conv_cache(_SC_LEVEL1_DCACHE_SIZE, 32 << 10), conv_cache(_SC_LEVEL2_CACHE_SIZE, 512 << 10),
                        conv_cache(_SC_LEVEL3_CACHE_SIZE, 8 << 20)};
}

#else

dcn_caches dcn_read_caches(void) { return (dcn_caches){32 << 10, 512 << 10, 8 << 20}; }

#endif
