"""A gRPC server that gives messages back, and tells by reflection which method it has."""

import grpc
from concurrent.futures import ThreadPoolExecutor
from google.protobuf import descriptor_pb2 as pb, wrappers_pb2

TEXT = ".google.protobuf.StringValue"
OWN = pb.FileDescriptorProto(
    name="echo.proto", package="demo", syntax="proto3", dependency=[wrappers_pb2.DESCRIPTOR.name],
    service=[pb.ServiceDescriptorProto(
        name="Echo", method=[pb.MethodDescriptorProto(name="Say", input_type=TEXT, output_type=TEXT)])])
FILES = [OWN.SerializeToString(), wrappers_pb2.DESCRIPTOR.serialized_pb]


def field(number, data):
    """A field of bytes, as Protocol Buffers encode it."""
    size, length = b"", len(data)
    while length > 127:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + data


def reflect(requests, context):
    """Answers each question with all files: original_request and file_descriptor_response."""
    for request in requests:
        yield field(2, request) + field(4, b"".join(field(1, file) for file in FILES))


server = grpc.server(ThreadPoolExecutor(20))
server.add_generic_rpc_handlers([
    grpc.method_handlers_generic_handler(
        "demo.Echo", {"Say": grpc.unary_unary_rpc_method_handler(lambda message, context: message)}),
    grpc.method_handlers_generic_handler(
        "grpc.reflection.v1alpha.ServerReflection",
        {"ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(reflect)}),
])
server.add_insecure_port("0.0.0.0:50051")
server.start()
server.wait_for_termination()
