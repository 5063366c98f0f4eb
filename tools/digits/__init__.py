"""A small deformable detector of handwritten digits: pictures, network, training, evaluation, export."""
