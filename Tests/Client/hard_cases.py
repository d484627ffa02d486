"""What clients do to a runtime, on purpose or not: it must answer each of them, and everybody else meanwhile."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

import grpc

from daemon import eventually
from stubs import connect, messages as m

UNKNOWN = "f" * 64


class HardCases(unittest.TestCase):
    daemon = None

    def setUp(self):
        self.cri = self.daemon.cri

    def refused(self, call, request, *codes, timeout=60):
        with self.assertRaises(grpc.RpcError) as raised:
            call(request, timeout=timeout)
        self.assertIn(raised.exception.code(), codes, raised.exception.details())
        return raised.exception.details()

    def pods_named(self, name):
        chosen = m.PodSandboxFilter(label_selector={"test": name})
        return [p.id for p in self.cri.ListPodSandbox(m.ListPodSandboxRequest(filter=chosen), timeout=60).items]

    def remove_pod(self, pod):
        self.cri.StopPodSandbox(m.StopPodSandboxRequest(pod_sandbox_id=pod), timeout=60)
        self.cri.RemovePodSandbox(m.RemovePodSandboxRequest(pod_sandbox_id=pod), timeout=60)

    # The same thing twice

    def test_the_same_sandbox_asked_for_by_many_at_once_is_one(self):
        config = self.daemon.pod_config()
        calls = [self.cri.RunPodSandbox.future(m.RunPodSandboxRequest(config=config), timeout=60) for _ in range(8)]
        made = {call.result().pod_sandbox_id for call in calls}
        self.assertEqual(len(made), 1)
        self.assertEqual(self.pods_named(config.metadata.name), list(made))
        self.remove_pod(made.pop())

    def test_the_same_container_asked_for_by_many_at_once_is_one(self):
        with self.daemon.pod() as (pod, config):
            request = m.CreateContainerRequest(
                pod_sandbox_id=pod, config=self.daemon.container_config("sleep 1000"), sandbox_config=config)
            calls = [self.cri.CreateContainer.future(request, timeout=60) for _ in range(8)]
            made = {call.result().container_id for call in calls}
            self.assertEqual(len(made), 1)
            container = made.pop()
            starts = [
                self.cri.StartContainer.future(m.StartContainerRequest(container_id=container), timeout=60)
                for _ in range(4)]
            outcomes = [start.code() for start in starts]
            self.assertIn(grpc.StatusCode.OK, outcomes)
            self.assertEqual(self.daemon.status(container).state, m.CONTAINER_RUNNING)

    # Callers who don't wait

    def test_a_cancelled_sandbox_leaves_its_name_free(self):
        config = self.daemon.pod_config()
        request = m.RunPodSandboxRequest(config=config)
        for delay in (0, 0.005, 0.02, 0.05, 0.1):
            call = self.cri.RunPodSandbox.future(request, timeout=60)
            time.sleep(delay)  # Not a wait: the moment of the cancellation is the test's subject.
            call.cancel()
        pod = self.cri.RunPodSandbox(request, timeout=60).pod_sandbox_id
        self.assertEqual(self.pods_named(config.metadata.name), [pod])
        self.remove_pod(pod)
        eventually("nothing comes after it", lambda: self.pods_named(config.metadata.name) == [])

    def test_a_deadline_rolls_back_what_was_made(self):
        config = self.daemon.pod_config()
        request = m.RunPodSandboxRequest(config=config)
        self.refused(self.cri.RunPodSandbox, request, grpc.StatusCode.DEADLINE_EXCEEDED, timeout=0.01)
        eventually("it is taken back", lambda: self.pods_named(config.metadata.name) == [])
        pod = self.cri.RunPodSandbox(request, timeout=60).pod_sandbox_id
        self.assertEqual(self.pods_named(config.metadata.name), [pod])
        self.remove_pod(pod)

    def test_a_command_whose_time_is_up_is_killed_with_its_children(self):
        with self.daemon.running() as (pod, container):
            begun = time.monotonic()
            request = m.ExecSyncRequest(
                container_id=container, cmd=["sh", "-c", "sleep 4711 & sleep 4711; echo never"], timeout=1)
            self.refused(self.cri.ExecSync, request, grpc.StatusCode.DEADLINE_EXCEEDED)
            self.assertGreaterEqual(time.monotonic() - begun, 1)
            self.gone(container, "4711")

    def test_a_command_whose_caller_goes_away_is_killed(self):
        with self.daemon.running() as (pod, container):
            request = m.ExecSyncRequest(container_id=container, cmd=["sleep", "4712"])
            call = self.cri.ExecSync.future(request)
            eventually("it runs", lambda: "4712" in self.processes(container))
            call.cancel()
            self.gone(container, "4712")

    def gone(self, container, text):
        eventually(f"no {text} runs any more", lambda: text not in self.processes(container))

    def processes(self, container):
        return self.daemon.exec(container, "ps").stdout.decode()

    # What isn't there

    def test_unknown_ids(self):
        not_found = grpc.StatusCode.NOT_FOUND
        for call, request in [
            (self.cri.PodSandboxStatus, m.PodSandboxStatusRequest(pod_sandbox_id=UNKNOWN)),
            (self.cri.ContainerStatus, m.ContainerStatusRequest(container_id=UNKNOWN)),
            (self.cri.StartContainer, m.StartContainerRequest(container_id=UNKNOWN)),
            (self.cri.ExecSync, m.ExecSyncRequest(container_id=UNKNOWN, cmd=["true"])),
            (self.cri.Exec, m.ExecRequest(container_id=UNKNOWN, cmd=["true"], stdout=True)),
            (self.cri.Attach, m.AttachRequest(container_id=UNKNOWN, stdout=True)),
            (self.cri.PortForward, m.PortForwardRequest(pod_sandbox_id=UNKNOWN, port=[80])),
            (self.cri.UpdateContainerResources,
             m.UpdateContainerResourcesRequest(container_id=UNKNOWN, linux=m.LinuxContainerResources(cpu_shares=2))),
            (self.cri.ReopenContainerLog, m.ReopenContainerLogRequest(container_id=UNKNOWN)),
            (self.cri.ContainerStats, m.ContainerStatsRequest(container_id=UNKNOWN)),
            (self.cri.PodSandboxStats, m.PodSandboxStatsRequest(pod_sandbox_id=UNKNOWN)),
            (self.cri.CreateContainer, m.CreateContainerRequest(
                pod_sandbox_id=UNKNOWN, config=self.daemon.container_config("true"),
                sandbox_config=self.daemon.pod_config())),
        ]:
            with self.subTest(type(request).__name__):
                self.assertIn(UNKNOWN[:12], self.refused(call, request, not_found))

    def test_what_isn_t_there_is_stopped_and_removed_already(self):
        self.cri.StopPodSandbox(m.StopPodSandboxRequest(pod_sandbox_id=UNKNOWN), timeout=60)
        self.cri.RemovePodSandbox(m.RemovePodSandboxRequest(pod_sandbox_id=UNKNOWN), timeout=60)
        self.cri.StopContainer(m.StopContainerRequest(container_id=UNKNOWN), timeout=60)
        self.cri.RemoveContainer(m.RemoveContainerRequest(container_id=UNKNOWN), timeout=60)
        self.cri.RemoveImage(m.RemoveImageRequest(image=m.ImageSpec(image="localhost/nothing:1")), timeout=60)
        self.assertFalse(self.cri.ListContainers(
            m.ListContainersRequest(filter=m.ContainerFilter(id=UNKNOWN)), timeout=60).containers)

    def test_empty_requests_are_refused_with_a_reason(self):
        for call, request in [
            (self.cri.RunPodSandbox, m.RunPodSandboxRequest()),
            (self.cri.CreateContainer, m.CreateContainerRequest()),
            (self.cri.StartContainer, m.StartContainerRequest()),
            (self.cri.ExecSync, m.ExecSyncRequest()),
            (self.cri.PodSandboxStatus, m.PodSandboxStatusRequest()),
        ]:
            with self.subTest(type(request).__name__):
                codes = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
                self.assertTrue(self.refused(call, request, *codes))

    # What isn't the CRI

    def raw(self, method, data):
        """Sends bytes as they are in the place of a message."""
        call = self.daemon.channel.unary_unary(
            method, request_serializer=lambda data: data, response_deserializer=lambda data: data)
        return call(data, timeout=60)

    def still_answers(self):
        self.assertEqual(self.cri.Version(m.VersionRequest(), timeout=60).runtime_name, "kubesim")

    def test_garbage_in_the_place_of_a_message(self):
        for data in (b"\xff" * 64, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05abc", os.urandom(4096), b"\x0b" * 100_000):
            for method in ("RunPodSandbox", "CreateContainer", "ExecSync", "ListContainers"):
                with self.assertRaises(grpc.RpcError) as raised:
                    self.raw(f"/runtime.v1.RuntimeService/{method}", data)
                self.assertNotIn(
                    raised.exception.code(), (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED))
        self.still_answers()

    def test_text_that_is_no_utf_8(self):
        # Field 1 of PodSandboxStatusRequest is a string of three bytes.
        with self.assertRaises(grpc.RpcError) as raised:
            self.raw("/runtime.v1.RuntimeService/PodSandboxStatus", b"\x0a\x03\xff\xfe\xfd")
        self.assertNotIn(raised.exception.code(), (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED))
        self.still_answers()

    def test_calls_that_the_cri_has_not(self):
        for method in ("/runtime.v1.RuntimeService/Dance", "/runtime.v1alpha2.RuntimeService/Version", "/no/thing"):
            with self.assertRaises(grpc.RpcError) as raised:
                self.raw(method, b"")
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_a_message_that_is_too_large(self):
        request = m.PodSandboxStatusRequest(pod_sandbox_id="x" * ((16 << 20) + 1))
        self.refused(self.cri.PodSandboxStatus, request, grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.still_answers()

    def test_a_message_that_is_just_not_too_large(self):
        request = m.PodSandboxStatusRequest(pod_sandbox_id="x" * ((16 << 20) - 64))
        self.refused(self.cri.PodSandboxStatus, request, grpc.StatusCode.NOT_FOUND)

    def test_output_of_a_command_is_capped(self):
        with self.daemon.running() as (pod, container):
            answer = self.daemon.exec(container, "sh", "-c", "head -c 40000000 /dev/zero; echo end >&2")
            self.assertEqual((answer.exit_code, answer.stderr), (0, b"end\n"))
            self.assertLess(len(answer.stdout), 16 << 20)
            self.assertIn(b"dropped", answer.stdout[-200:])

    def test_connections_that_speak_no_http_2(self):
        before = self.daemon.open_files()
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        for junk in (
            b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(2048), preface, preface + b"\xff" * 512,
            preface + b"\0\0\0\4\0\0\0\0\0" + b"\xff\xff\xff\1\4\0\0\0\1" + b"\0" * 4096,
        ):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.daemon.socket)
                with contextlib.suppress(OSError):
                    client.sendall(junk)
                    client.shutdown(socket.SHUT_WR)
                    client.settimeout(10)
                    while client.recv(65536):
                        pass
        self.still_answers()
        eventually("their descriptors are closed", lambda: self.daemon.open_files() <= before + 2)

    # Many, and dying ones

    def test_many_calls_at_once(self):
        with self.daemon.running() as (pod, container):
            requests = [
                (self.cri.Version, m.VersionRequest()), (self.cri.ListContainers, m.ListContainersRequest()),
                (self.cri.ContainerStatus, m.ContainerStatusRequest(container_id=container)),
                (self.cri.ListPodSandbox, m.ListPodSandboxRequest()),
                (self.cri.ExecSync, m.ExecSyncRequest(container_id=container, cmd=["echo", "hello"])),
            ]
            calls = [call.future(request, timeout=120) for _ in range(60) for call, request in requests]
            self.assertEqual({call.code() for call in calls}, {grpc.StatusCode.OK})
            self.assertEqual({call.result().stdout for call in calls[4::5]}, {b"hello\n"})

    def test_many_pods_at_once(self):
        configs = [self.daemon.pod_config() for _ in range(12)]
        with concurrent.futures.ThreadPoolExecutor(12) as threads:
            requests = [m.RunPodSandboxRequest(config=config) for config in configs]
            pods = list(threads.map(lambda r: self.cri.RunPodSandbox(r, timeout=120).pod_sandbox_id, requests))
            addresses = [
                self.cri.PodSandboxStatus(m.PodSandboxStatusRequest(pod_sandbox_id=pod), timeout=60).status.network.ip
                for pod in pods]
            self.assertEqual(len(set(addresses)), len(pods))
            list(threads.map(self.remove_pod, pods))

    def test_an_exit_reaches_every_listener_by_itself(self):
        channels = [connect(self.daemon.socket) for _ in range(3)]
        try:
            streams = [
                channel.unary_stream(
                    "/runtime.v1.RuntimeService/GetContainerEvents",
                    request_serializer=m.GetEventsRequest.SerializeToString,
                    response_deserializer=m.ContainerEventResponse.FromString)(m.GetEventsRequest())
                for channel in channels]
            for stream in streams:
                stream.initial_metadata()
            with self.daemon.running("read line; exit 4", stdin=True) as (pod, container):
                self.cri.StopContainer(m.StopContainerRequest(container_id=container, timeout=0), timeout=60)
                for stream in streams:
                    for event in stream:
                        stopped = event.container_event_type == m.CONTAINER_STOPPED_EVENT
                        if event.container_id == container and stopped:
                            break
                    else:
                        self.fail("a stream ended")
        finally:
            for channel in channels:
                channel.close()

    def test_a_client_that_dies_in_the_middle_of_a_stream(self):
        before = self.daemon.open_files()
        script = (
            "import sys; sys.path.insert(0, sys.argv[2])\n"
            "from stubs import connect, services, messages as m\n"
            "stub = services.RuntimeServiceStub(connect(sys.argv[1]))\n"
            "events = stub.GetContainerEvents(m.GetEventsRequest())\n"
            "events.initial_metadata()\n"
            "print('listening', flush=True)\n"
            "for event in events: pass\n")
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", script, self.daemon.socket, os.path.dirname(os.path.abspath(__file__))],
                stdout=subprocess.PIPE, text=True)
            for _ in range(3)]
        try:
            for client in clients:
                self.assertEqual(client.stdout.readline(), "listening\n")
            # One that doesn't even close its connection, and two that are gone at once.
            clients[0].send_signal(signal.SIGSTOP)
            for client in clients[1:]:
                client.kill()
            with self.daemon.running("exit 0") as (pod, container):
                eventually("it ends", lambda: self.daemon.status(container).state == m.CONTAINER_EXITED)
        finally:
            for client in clients:
                client.kill()
                client.wait()
                client.stdout.close()
        eventually("their descriptors are closed", lambda: self.daemon.open_files() <= before + 2)
