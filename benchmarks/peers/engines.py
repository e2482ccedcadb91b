"""This program and the engines that users could pick instead, behind one form: run(part, inputs) -> output."""

import json
import os
import subprocess
import tempfile

import torch
from safetensors.torch import load_file, save_file


class Program:
    """`bridgetower bench`, and `run` for the numbers."""

    def __init__(self, path, model, threads, tokens, dtype):
        self.path, self.model, self.dtype = path, model, ["--dtype", dtype]
        self.options = ["--threads", str(threads), "--tokens", str(tokens), "--format", "jsonl", *self.dtype]

    def logits(self, inputs, threads):
        with tempfile.TemporaryDirectory() as folder:
            files = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
            inputs = dict(inputs, attention_mask=torch.ones_like(inputs["input_ids"]))
            save_file({f"inputs.{key}": value for key, value in inputs.items()}, files[0])
            subprocess.run([self.path, "run", "--model", self.model, "--head", "itm", "--inputs", files[0],
                            "--outputs", files[1], "--threads", str(threads), *self.dtype], check=True)
            return load_file(files[1])["logits"]

    def bench(self, task, repeat, **sizes):
        command = [self.path, "bench", "--model", self.model, "--task", task, "--repeat", str(repeat), *self.options]
        for name, value in sizes.items():
            command += [f"--{name}", str(value)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Transformers:
    def __init__(self, compiled=False):
        self.compiled = compiled

    def load(self, part, example, threads, folder):
        torch.set_num_threads(threads)
        run = torch.compile(part) if self.compiled else part

        def call():
            torch.set_num_threads(threads)
            with torch.inference_mode():
                return run(*example)
        return call


def exported(part, example, folder):
    graph = os.path.join(folder, type(part).__name__ + "-" + "x".join(map(str, example[0].shape)) + ".onnx")
    if not os.path.exists(graph):
        torch.onnx.export(part, tuple(example), graph, input_names=list(part.inputs), output_names=list(part.outputs),
                          dynamo=True, external_data=True, verbose=False)
    return graph


def quantized(graph):
    """The graph with int8 weights, a scale a column, and products of inputs that are rounded as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    int8 = graph.replace(".onnx", ".int8.onnx")
    if not os.path.exists(int8):
        quantize_dynamic(graph, int8, weight_type=QuantType.QInt8, per_channel=True, use_external_data_format=True,
                         extra_options={"MatMulConstBOnly": True})
    return int8


class OnnxRuntime:
    def __init__(self, int8=False):
        self.int8 = int8

    def load(self, part, example, threads, folder):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        graph = exported(part, example, folder)
        session = onnxruntime.InferenceSession(quantized(graph) if self.int8 else graph, options,
                                               providers=["CPUExecutionProvider"])
        feed = {name: value.numpy() for name, value in zip(part.inputs, example)}
        return lambda: torch.from_numpy(session.run(None, feed)[0])


class OpenVino:
    def __init__(self, precision="f32", int8=False):
        self.precision, self.int8 = precision, int8

    def load(self, part, example, threads, folder):
        import openvino
        core = openvino.Core()
        graph = exported(part, example, folder)
        feed = {name: value.numpy() for name, value in zip(part.inputs, example)}
        model = self.quantized(core, graph, feed) if self.int8 else core.read_model(graph)
        compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads,
                                                     "INFERENCE_PRECISION_HINT": self.precision})
        return lambda: torch.from_numpy(compiled(feed)[0])

    @staticmethod
    def quantized(core, graph, feed):
        """Calibrated on the very input that is timed."""
        int8 = graph.replace(".onnx", ".int8.xml")
        if not os.path.exists(int8):
            import nncf
            import openvino
            model = nncf.quantize(core.read_model(graph), nncf.Dataset([feed]), model_type=nncf.ModelType.TRANSFORMER,
                                  subset_size=1)
            openvino.save_model(model, int8, compress_to_fp16=False)
        return core.read_model(int8)


PEERS = {"eager": Transformers, "compiled": lambda: Transformers(compiled=True), "onnxruntime": OnnxRuntime,
         "openvino": OpenVino, "onnxruntime-int8": lambda: OnnxRuntime(int8=True),
         "openvino-int8": lambda: OpenVino(int8=True), "openvino-bf16": lambda: OpenVino("bf16")}
