"""What the paper puts on top: segmentation, class-aware proposals, Faster R-CNN and R-FCN."""

from .inception import aligned_inception_resnet
from .network import Network
from .resnet import Options, resnet101

MXNET = "org.apache.mxnet"
STRIDE = 16


def features(n: Network, x: str, options: Options) -> list[str]:
    """Stages 2 to 5 of the backbone: 256, 512, 1024 and 2048 channels, both of them."""
    backbone = resnet101 if options.backbone == "resnet101" else aligned_inception_resnet
    return backbone(n, x, options)


def reduced(n: Network, stage: str, outputs: int) -> str:
    """The 1×1 convolution, newly initialised, that reduces the 2048 channels of the last stage."""
    n.part = "head"
    return n.relu("conv_new_1_relu", n.conv("conv_new_1", stage, 2048, outputs, bias=True))


def deeplab(n: Network, size, options: Options, classes: int) -> None:
    """Per-pixel classes: scores at stride 16, bilinear upsampling, softmax."""
    x = n.input("data", [1, 3, *size])
    y = reduced(n, features(n, x, options)[-1], 1024)
    y = n.conv("score", y, 1024, classes, bias=True, square=4.0)
    target = n.integers("image_size", [1, classes, *size])
    y = n.append("Resize", [y, "", "", target], "upsampled", 4.0, mode="linear",
                 coordinate_transformation_mode="half_pixel")
    n.output(n.append("Softmax", [y], "softmax", axis=1), "probability", [1, classes, *size])


def anchor_scores(n: Network, features: str, kinds: int, anchors: int) -> tuple[str, str]:
    """The RPN's 3×3 layer with 512 channels and its two sisters: class probabilities and box deltas per anchor."""
    n.part = "rpn"
    y = n.relu("rpn_relu", n.conv("rpn_conv_3x3", features, 1024, 512, 3, bias=True))
    score = n.conv("rpn_cls_score", y, 512, kinds * anchors, bias=True, square=2.0)
    delta = n.conv("rpn_bbox_pred", y, 512, 4 * anchors, bias=True, square=0.04)
    score = n.append("Reshape", [score, n.integers("rpn_apart", [0, kinds, -1, 0])], "rpn_cls_score_reshape")
    probability = n.append("Softmax", [score], "rpn_cls_softmax", axis=1)
    together = n.integers("rpn_together", [0, kinds * anchors, -1, 0])
    return n.append("Reshape", [probability, together], "rpn_cls_prob"), delta


def proposals(n: Network, features: str, coco: bool, regions: int) -> str:
    """Regions [regions, 5] from the features of stage 4."""
    scales = [4.0, 8.0, 16.0, 32.0] if coco else [8.0, 16.0, 32.0]
    probability, delta = anchor_scores(n, features, 2, 3 * len(scales))
    n.part = "head"
    return n.append("Proposal", [probability, delta, "im_info"], "rois", domain=MXNET, feature_stride=STRIDE,
                    scales=scales, ratios=[0.5, 1.0, 2.0], rpn_pre_nms_top_n=6000, rpn_post_nms_top_n=regions,
                    threshold=0.7, rpn_min_size=0 if coco else 16)


def class_aware_rpn(n: Network, size, options: Options, classes: int) -> None:
    """RPN with all classes instead of object or not, on the reduced features of stage 5."""
    x = n.input("data", [1, 3, *size])
    anchors = 12 if classes > 21 else 9
    y = reduced(n, features(n, x, options)[-1], 1024)
    probability, delta = anchor_scores(n, y, classes, anchors)
    n.output(probability, "cls_prob", [1, classes * anchors, None, None])
    n.output(delta, "bbox_pred", [1, 4 * anchors, None, None])


def deform_ps_pool(n: Network, name, x, rois, trans, output_dim, group) -> str:
    """The paper's pooling, 7×7 bins of 4×4 samples, moved by `trans` unless that is None."""
    operands = [x, rois] + ([trans] if trans else [])
    return n.append("DeformablePSROIPooling", operands, name, n.square[x], MXNET, spatial_scale=1 / STRIDE,
                    trans_std=0.1 if trans else 0.0, output_dim=output_dim, group_size=group, pooled_size=7,
                    part_size=7, sample_per_part=4, no_trans=int(not trans))


def faster_rcnn(n: Network, size, options: Options, classes: int, regions: int, deformable_pool: bool,
                outside_rois: bool) -> None:
    """Two layers of 1024 over 7×7 bins of 256 channels, pooled after stage 5."""
    _, _, fourth, fifth = detector_features(n, size, options, outside_rois)
    rois = regions_of(n, fourth, classes, regions, outside_rois)
    y = reduced(n, fifth, 256)
    if deformable_pool:
        plain = deform_ps_pool(n, "offset_t", y, rois, None, 256, 1)
        flat = n.append("Flatten", [plain], "offset_flat", n.square[y])
        n.part = "deformation"
        moves = n.dense("offset", flat, 7 * 7 * 256, 7 * 7 * 2, square=1.0)
        n.part = "head"
        moves = n.append("Reshape", [moves, n.integers("offset_shape", [-1, 2, 7, 7])], "offset_reshape")
        pooled = deform_ps_pool(n, "deformable_roi_pool", y, rois, moves, 256, 1)
    else:
        pooled = n.append("MaxRoiPool", [y, rois], "roi_pool", 2 * n.square[y], pooled_shape=[7, 7],
                          spatial_scale=1 / STRIDE)
    y = n.append("Flatten", [pooled], "roi_flat", n.square[pooled])
    y = n.relu("fc_new_1_relu", n.dense("fc_new_1", y, 7 * 7 * 256, 1024))
    y = n.relu("fc_new_2_relu", n.dense("fc_new_2", y, 1024, 1024))
    score, delta = n.dense("cls_score", y, 1024, classes, 4.0), n.dense("bbox_pred_fc", y, 1024, 8, 0.04)
    finish(n, rois, n.append("Softmax", [score], "cls_softmax", axis=1), delta, [regions, classes], [regions, 8])


def rfcn(n: Network, size, options: Options, classes: int, regions: int, deformable_pool: bool,
         outside_rois: bool) -> None:
    """Position-sensitive maps of 7×7 cells; the class-agnostic boxes have 8 channels."""
    _, _, fourth, fifth = detector_features(n, size, options, outside_rois)
    rois = regions_of(n, fourth, classes, regions, outside_rois)
    y = reduced(n, fifth, 1024)
    answers = []
    for name, depth, square in (("rfcn_cls", classes, 16.0), ("rfcn_bbox", 8, 0.25)):
        maps = n.conv(name, y, 1024, 49 * depth, bias=True, square=square)
        if deformable_pool:
            kinds = classes if name == "rfcn_cls" else 1
            n.part = "deformation"
            moving = n.conv(f"{name}_offset_t", y, 1024, 2 * 49 * kinds, bias=True, square=4.0)
            n.part = "head"
            moves = deform_ps_pool(n, f"{name}_offset", moving, rois, None, 2 * kinds, 7)
            pooled = deform_ps_pool(n, f"{name}_pool", maps, rois, moves, depth, 7)
        else:
            pooled = n.append("PSROIPooling", [maps, rois], f"{name}_pool", domain=MXNET, spatial_scale=1 / STRIDE,
                              output_dim=depth, pooled_size=7, group_size=7)
        mean = n.append("GlobalAveragePool", [pooled], f"{name}_mean")
        answers.append(n.append("Flatten", [mean], f"{name}_flat"))
    probability = n.append("Softmax", [answers[0]], "cls_softmax", axis=1)
    finish(n, rois, probability, answers[1], [regions, classes], [regions, 8])


def detector_features(n: Network, size, options: Options, outside_rois: bool):
    x = n.input("data", [1, 3, *size])
    if not outside_rois:
        n.input("im_info", [1, 3])
    return features(n, x, options)


def regions_of(n: Network, features, classes, regions, outside_rois) -> str:
    """The proposals, or an input in their place, so that heads can be compared on given regions."""
    if outside_rois:
        return n.input("rois", [regions, 5])
    return proposals(n, features, classes > 21, regions)


def finish(n: Network, rois, probability, delta, shape, box_shape) -> None:
    if rois not in {value.name for value in n.inputs}:
        n.output(rois, "regions", [shape[0], 5])
    n.output(probability, "cls_prob", shape)
    n.output(delta, "bbox_pred", box_shape)
