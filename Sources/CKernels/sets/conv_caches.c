#include "../conv_private.h"
#include <stdio.h>
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

/// Bytes of the cache that index `index` of the first processor describes; 0 where nothing does.
static ptrdiff_t conv_described_cache(int index) {
    char path[64];
    long kilobytes = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%ldK", &kilobytes) != 1) kilobytes = 0;
    fclose(file);
    return kilobytes > 0 && kilobytes < 1 << 24 ? (ptrdiff_t)kilobytes << 10 : 0;
}

/// What one core sees: on virtual machines sysconf counts the last level once for every core of the host.
static ptrdiff_t conv_cache(int name, int index, ptrdiff_t otherwise) {
    const long bytes = sysconf(name);
    const ptrdiff_t described = conv_described_cache(index);
    if (bytes <= 0) return described ? described : otherwise;
    return described ? conv_least((ptrdiff_t)bytes, described) : (ptrdiff_t)bytes;
}

dcn_caches dcn_read_caches(void) {
    return (dcn_caches){conv_cache(_SC_LEVEL1_DCACHE_SIZE, 0, 32 << 10),
                        conv_cache(_SC_LEVEL2_CACHE_SIZE, 2, 512 << 10),
                        conv_cache(_SC_LEVEL3_CACHE_SIZE, 3, 8 << 20)};
}

#else

dcn_caches dcn_read_caches(void) { return (dcn_caches){32 << 10, 512 << 10, 8 << 20}; }

#endif
