#include "products.h"

/// What things cost in multiply-adds of the vector kernel: a product of tiles, splitting a number of the rows and of
/// the panels, and fetching a sum from the tiles.
static const double thirds_product = 0.5, thirds_row = 32, thirds_panel = 20, thirds_sum = 22;
/// What of it tiles may cost to be taken: they suffer more than vectors where something else wants the caches.
static const double thirds_most = 0.75;

int conv_uses_thirds(dcn_isa isa, ptrdiff_t rows, ptrdiff_t taps, ptrdiff_t channels, ptrdiff_t columns,
                     dcn_caches caches) {
    if (isa != DCN_ISA_AMX || rows < 1 || channels < 1) return 0;
    const double block = (double)conv_least(rows, THIRDS_BLOCK), inner = (double)conv_inner_target(caches, 1);
    const double step = (double)conv_pieces(channels, THIRDS_STEP) * THIRDS_STEP / (double)channels;
    const double height = (double)conv_pieces(rows, THIRDS_ROWS) * THIRDS_ROWS / (double)rows;
    const double products = (double)taps * (double)channels;
    const double each = thirds_row / (double)columns + thirds_panel / block + step * height * thirds_product +
                        thirds_sum / (products < inner ? products : inner);
    return each < thirds_most;
}

ptrdiff_t conv_thirds_bytes(ptrdiff_t rows, ptrdiff_t taps, ptrdiff_t channels) {
    const ptrdiff_t steps = taps * conv_pieces(channels, THIRDS_STEP), tiles = 2 * conv_pieces(rows, THIRDS_ROWS);
    return (tiles + CONV_PANEL / 16) * steps * THIRDS_BYTES + THIRDS_ROWS * THIRDS_ROWS * (ptrdiff_t)sizeof(float) +
           dcn_padded(tiles * 16) * 4;
}
