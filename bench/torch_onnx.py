"""torch_onnx.py FILE: the net of mlp_mnist with softmax, as ONNX for serving's rival."""
import sys

import torch
from torch import nn

from torch_step import stack

net = nn.Sequential(stack([784, 256, 128, 10]), nn.Softmax(1)).eval()
torch.onnx.export(net, torch.zeros(1, 784), sys.argv[1], input_names=["x"], output_names=["y"],
                  dynamic_axes={"x": {0: "rows"}, "y": {0: "rows"}}, opset_version=13)
