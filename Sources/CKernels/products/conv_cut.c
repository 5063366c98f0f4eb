#include "products.h"

ptrdiff_t conv_inner_target(dcn_caches caches, int thirds) {
    if (thirds) {
        const ptrdiff_t room = conv_pieces(caches.level2 / 4, THIRDS_BLOCK * THIRDS_NUMBER * THIRDS_STEP) * THIRDS_STEP;
        return conv_most(128, conv_least(512, room));
    }
    // A panel takes an eighth of the cache; of up to 384 products, after which less is won, a quarter.
    const ptrdiff_t room = caches.level2 / (CONV_PANEL * (ptrdiff_t)sizeof(float));
    return conv_most(128, conv_most(conv_least(384, room / 4), conv_least(1024, room / 8)));
}

ptrdiff_t conv_equal_piece(ptrdiff_t whole, ptrdiff_t most) {
    return conv_most(1, conv_pieces(whole, conv_most(1, conv_pieces(whole, conv_most(1, most)))));
}

ptrdiff_t conv_equal_block(ptrdiff_t whole, ptrdiff_t most, ptrdiff_t step) {
    const ptrdiff_t piece = conv_pieces(whole, conv_pieces(whole, most));
    return conv_least(whole, conv_pieces(piece, step) * step);
}

void conv_cut_inner(ptrdiff_t taps, ptrdiff_t channels, ptrdiff_t target, ptrdiff_t *block_taps,
                    ptrdiff_t *block_channels) {
    const ptrdiff_t most = target + target / 2;
    if (channels > most) {
        *block_taps = 1;
        *block_channels = conv_least(most, dcn_padded(conv_equal_piece(channels, target)));
        return;
    }
    *block_channels = channels;
    *block_taps = conv_equal_piece(taps, most / channels);
}

ptrdiff_t conv_reading(double weight_bytes, dcn_caches caches) {
    return weight_bytes <= (double)caches.level2 / 2 ? 0 : weight_bytes <= (double)caches.level3 / 2 ? 32 : 48;
}

ptrdiff_t conv_span(ptrdiff_t rows, ptrdiff_t size, ptrdiff_t workers, ptrdiff_t reading) {
    enum { BEGINNING = 2 };
    const ptrdiff_t tiles = conv_pieces(rows, size), turns = conv_pieces(tiles, workers);
    // The last tile has fewer rows, which counts where its turn is its own.
    const ptrdiff_t end = tiles - (turns - 1) * workers == 1 ? rows - (tiles - 1) * size : size;
    return (turns - 1) * (conv_most(size, reading) + BEGINNING) + conv_most(end, reading) + BEGINNING;
}

/// Rows of a block that stays in a quarter of the second-level cache beside the panels that pass by.
static ptrdiff_t conv_vector_rows(const conv_product *p, dcn_caches caches, ptrdiff_t step) {
    const ptrdiff_t room = caches.level2 / 4 / (conv_most(64, p->inner) * (ptrdiff_t)sizeof(float)) / step * step;
    return conv_most(step, conv_least(room, 5 * step)) * (p->weight_bytes > (double)caches.level3 / 8 ? 2 : 1);
}

/// Split rows may take half of it: each block splits all panels anew.
static ptrdiff_t conv_thirds_rows(const conv_product *p, dcn_caches caches, ptrdiff_t step) {
    const ptrdiff_t room = caches.level2 / 2 / (conv_most(64, p->inner) * (ptrdiff_t)THIRDS_NUMBER) / step * step;
    return conv_most(step, conv_least(room, THIRDS_BLOCK));
}

static conv_cut conv_make_cut(const conv_product *p, ptrdiff_t rows, ptrdiff_t panels, ptrdiff_t step) {
    conv_cut cut = {.block_rows = conv_equal_block(p->rows, rows, step), .panels_per_tile = panels};
    cut.row_tiles = conv_pieces(p->rows, cut.block_rows);
    cut.panel_tiles = conv_pieces(p->panels, panels);
    return cut;
}

/// Cuts rows and columns until there are as many tiles as are wanted, the longer side of a tile first.
static conv_cut conv_cut_thirds(const conv_product *p, ptrdiff_t block, ptrdiff_t step, ptrdiff_t wanted) {
    ptrdiff_t panels = p->panels;
    while (conv_pieces(p->rows, block) * conv_pieces(p->panels, panels) < wanted && (block > step || panels > 1)) {
        const ptrdiff_t high = conv_least(block, p->rows);
        if (panels > 1 && (block <= step || panels * CONV_PANEL > high)) panels = conv_pieces(panels, 2);
        else block = conv_pieces(block / 2, step) * step;
    }
    return conv_make_cut(p, block, panels, THIRDS_ROWS);
}

/// How long all tiles take, in products of a row and a column: those of a tile, and what it reads.
static double conv_cut_cost(const conv_product *p, const conv_cut *cut, ptrdiff_t workers) {
    enum { READING_WEIGHTS = 16, READING_ROWS = 16 };
    const double rows = (double)conv_least(cut->block_rows, p->rows);
    const double columns = (double)(cut->panels_per_tile * CONV_PANEL);
    const double reading = READING_ROWS + (cut->panel_tiles > 1 ? CONV_FOREIGN : 0);
    const double tile = rows * columns + READING_WEIGHTS * columns + reading * rows;
    return conv_turns(cut->row_tiles * cut->panel_tiles, workers) * tile;
}

/// The tiles that are done soonest: of all whole kernels of rows that fit the caches, and pieces of the columns.
conv_cut conv_cut_tiles(const conv_product *p, dcn_caches caches, ptrdiff_t tiles_wanted) {
    if (p->thirds)
        return conv_cut_thirds(p, conv_thirds_rows(p, caches, 2 * THIRDS_ROWS), 2 * THIRDS_ROWS, tiles_wanted / 2);
    enum { STEP = 24, KERNEL = 12 };
    const ptrdiff_t most = conv_vector_rows(p, caches, STEP), workers = conv_workers(tiles_wanted);
    conv_cut best = conv_make_cut(p, most, p->panels, KERNEL);
    if (workers == 1) return best;
    double least = conv_cut_cost(p, &best, workers);
    for (ptrdiff_t rows = most; rows >= STEP; rows -= KERNEL)
        for (ptrdiff_t wide = 1; wide <= conv_least(p->panels, 8 * workers); wide++) {
            const conv_cut cut = conv_make_cut(p, rows, conv_pieces(p->panels, wide), KERNEL);
            const double cost = conv_cut_cost(p, &cut, workers);
            if (cost >= least) continue;
            least = cost;
            best = cut;
        }
    return best;
}

ptrdiff_t conv_pointer_bytes(ptrdiff_t taps, ptrdiff_t rows, ptrdiff_t channels) {
    return dcn_padded((taps + 2) * (rows + CONV_SPARE_ROWS)) * (ptrdiff_t)sizeof(void *) +
           dcn_padded(channels) * (ptrdiff_t)sizeof(float);
}
