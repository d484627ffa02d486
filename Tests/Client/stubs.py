"""Python's own view of the CRI: messages and stubs made from the project's .proto by Google's generator, each time anew."""

import importlib
import os
import shutil
import sys
import tempfile

import grpc
from grpc_tools import protoc

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTO = os.path.join(REPOSITORY, "Sources/CRI/Proto/runtime.v1.proto")
LARGEST_MESSAGE = 16 << 20


def generate():
    """The two modules (messages, stubs), made in a directory that is gone when this returns."""
    directory = tempfile.mkdtemp(prefix="kubesim-stubs-")
    try:
        shutil.copy(PROTO, os.path.join(directory, "cri_runtime.proto"))
        arguments = ["protoc", f"-I{directory}", f"--python_out={directory}", f"--grpc_python_out={directory}"]
        if protoc.main(arguments + ["cri_runtime.proto"]) != 0:
            raise RuntimeError(f"protoc can't read {PROTO}")
        sys.path.insert(0, directory)
        sys.dont_write_bytecode = True
        return importlib.import_module("cri_runtime_pb2"), importlib.import_module("cri_runtime_pb2_grpc")
    finally:
        if directory in sys.path:
            sys.path.remove(directory)
        shutil.rmtree(directory)


messages, services = generate()


def connect(socket):
    """A channel to a CRI socket, with the message sizes that kubelet and crictl use."""
    return grpc.insecure_channel(
        "unix:" + socket,
        options=[
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
            ("grpc.max_send_message_length", -1),
            ("grpc.default_authority", "localhost"),
            ("grpc.use_local_subchannel_pool", 1),
        ])


class Calls:
    """A channel's two services as one object, which remembers the names of the calls that were made."""

    made = set()

    def __init__(self, channel):
        self.channel = channel
        self.stubs = [services.RuntimeServiceStub(channel), services.ImageServiceStub(channel)]

    def __getattr__(self, name):
        for stub in self.stubs:
            call = getattr(stub, name, None)
            if call is not None:
                Calls.made.add(name)
                return call
        raise AttributeError(name)


def every_call():
    """The names of all calls that the .proto has."""
    return {
        method.name for service in messages.DESCRIPTOR.services_by_name.values() for method in service.methods}
