"""The face: page shell, page kit and visual system. It takes plain values and knows nothing of the business."""
