"""This program and the engines that users could pick instead, behind one form: run(part, inputs) -> output."""

import json
import os
import subprocess
import tempfile

import torch
from safetensors.torch import load_file, save_file


class Program:
    """`bridgetower bench`, and `run` for the numbers."""

    def __init__(self, path, model, threads, tokens):
        self.path, self.model = path, model
        self.options = ["--threads", str(threads), "--tokens", str(tokens), "--format", "jsonl"]

    def logits(self, inputs, threads):
        with tempfile.TemporaryDirectory() as folder:
            files = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
            inputs = dict(inputs, attention_mask=torch.ones_like(inputs["input_ids"]))
            save_file({f"inputs.{key}": value for key, value in inputs.items()}, files[0])
            subprocess.run([self.path, "run", "--model", self.model, "--head", "itm", "--inputs", files[0],
                            "--outputs", files[1], "--threads", str(threads)], check=True)
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


class OnnxRuntime:
    def load(self, part, example, threads, folder):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(exported(part, example, folder), options, providers=["CPUExecutionProvider"])
        feed = {name: value.numpy() for name, value in zip(part.inputs, example)}
        return lambda: torch.from_numpy(session.run(None, feed)[0])


class OpenVino:
    def load(self, part, example, threads, folder):
        import openvino
        core = openvino.Core()
        compiled = core.compile_model(core.read_model(exported(part, example, folder)), "CPU",
                                      {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"})
        feed = {name: value.numpy() for name, value in zip(part.inputs, example)}
        return lambda: torch.from_numpy(compiled(feed)[0])


PEERS = {"eager": Transformers, "compiled": lambda: Transformers(compiled=True), "onnxruntime": OnnxRuntime,
         "openvino": OpenVino}
