"""The face: page shell, page kit, visual system. It takes plain values and knows no business."""
