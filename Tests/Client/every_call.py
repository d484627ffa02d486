"""Every call of the CRI at least once, with what it must answer."""

import json
import os
import subprocess
import unittest

import grpc

from daemon import BUSYBOX, eventually
from stubs import Calls, every_call, messages as m
from streams import STDERR, STDOUT, Forward, Stream


class EveryCall(unittest.TestCase):
    daemon = None

    def setUp(self):
        self.cri = self.daemon.cri

    def listed(self, pod):
        request = m.ListPodSandboxRequest(filter=m.PodSandboxFilter(id=pod))
        return self.cri.ListPodSandbox(request, timeout=60).items

    def test_version_and_configuration(self):
        version = self.cri.Version(m.VersionRequest(), timeout=60)
        self.assertEqual((version.runtime_name, version.version, version.runtime_api_version), ("kubesim", "0.1.0", "v1"))
        driver = self.cri.RuntimeConfig(m.RuntimeConfigRequest(), timeout=60).linux.cgroup_driver
        self.assertEqual(driver, m.CGROUPFS)
        network = m.NetworkConfig(pod_cidr="10.9.0.0/16")
        self.cri.UpdateRuntimeConfig(
            m.UpdateRuntimeConfigRequest(runtime_config=m.RuntimeConfig(network_config=network)), timeout=60)

    def test_status(self):
        answer = self.cri.Status(m.StatusRequest(verbose=True), timeout=60)
        self.assertEqual({c.type: c.status for c in answer.status.conditions}["RuntimeReady"], True)
        self.assertEqual({c.type: c.status for c in answer.status.conditions}["NetworkReady"], True)
        self.assertIn("", [handler.name for handler in answer.runtime_handlers])
        self.assertEqual(json.loads(answer.info["config"])["root"], self.daemon.root)
        self.assertFalse(self.cri.Status(m.StatusRequest(), timeout=60).info)

    def test_images(self):
        self.daemon.load("web")
        listed = self.cri.ListImages(m.ListImagesRequest(), timeout=60).images
        self.assertEqual({"localhost/busybox:latest", "localhost/web:latest"}, {t for i in listed for t in i.repo_tags})
        streamed = [i for piece in self.cri.StreamImages(m.StreamImagesRequest(), timeout=60) for i in piece.images]
        self.assertEqual(sorted(i.id for i in streamed), sorted(i.id for i in listed))
        status = self.image("localhost/web:latest", verbose=True)
        self.assertEqual(list(status.image.repo_tags), ["localhost/web:latest"])
        self.assertGreater(status.image.size, 0)
        self.assertIn("imageSpec", json.loads(status.info["info"]))
        filesystem = self.cri.ImageFsInfo(m.ImageFsInfoRequest(), timeout=60).image_filesystems[0]
        self.assertGreater(filesystem.used_bytes.value, 100_000)
        self.assertTrue(os.path.isdir(filesystem.fs_id.mountpoint))

        spec = m.ImageSpec(image="localhost/web:latest")
        for _ in range(2):  # What is gone already is no error.
            self.cri.RemoveImage(m.RemoveImageRequest(image=spec), timeout=60)
        self.assertFalse(self.image("localhost/web:latest").HasField("image"))

    def test_a_pull_that_fails_says_of_which_image(self):
        # Nobody listens there.
        request = m.PullImageRequest(image=m.ImageSpec(image="127.0.0.1:1/nothing/here:1"))
        with self.assertRaises(grpc.RpcError) as raised:
            self.cri.PullImage(request, timeout=120)
        self.assertIn("127.0.0.1:1/nothing/here:1", raised.exception.details())

    def image(self, name, verbose=False):
        request = m.ImageStatusRequest(image=m.ImageSpec(image=name), verbose=verbose)
        return self.cri.ImageStatus(request, timeout=60)

    def test_a_sandbox_from_its_beginning_to_its_end(self):
        config = self.daemon.pod_config(annotations={"note": "kept"})
        request = m.RunPodSandboxRequest(config=config)
        pod = self.cri.RunPodSandbox(request, timeout=60).pod_sandbox_id
        self.assertEqual(self.cri.RunPodSandbox(request, timeout=60).pod_sandbox_id, pod)
        status = self.cri.PodSandboxStatus(m.PodSandboxStatusRequest(pod_sandbox_id=pod, verbose=True), timeout=60)
        self.assertEqual(status.status.state, m.SANDBOX_READY)
        self.assertEqual(status.status.metadata, config.metadata)
        self.assertEqual(dict(status.status.annotations), {"note": "kept"})
        self.assertRegex(status.status.network.ip, r"^10\.")
        self.assertIn("pid", json.loads(status.info["info"]))

        label = m.PodSandboxFilter(label_selector={"test": config.metadata.name})
        found = self.cri.ListPodSandbox(m.ListPodSandboxRequest(filter=label), timeout=60).items
        self.assertEqual([item.id for item in found], [pod])
        pieces = self.cri.StreamPodSandboxes(m.StreamPodSandboxesRequest(filter=label), timeout=60)
        self.assertEqual([item.id for piece in pieces for item in piece.pod_sandboxes], [pod])
        not_ready = m.PodSandboxStateValue(state=m.SANDBOX_NOTREADY)
        label.state.CopyFrom(not_ready)
        self.assertFalse(self.cri.ListPodSandbox(m.ListPodSandboxRequest(filter=label), timeout=60).items)

        for _ in range(2):
            self.cri.StopPodSandbox(m.StopPodSandboxRequest(pod_sandbox_id=pod), timeout=60)
        self.assertEqual(self.listed(pod)[0].state, m.SANDBOX_NOTREADY)
        for _ in range(2):
            self.cri.RemovePodSandbox(m.RemovePodSandboxRequest(pod_sandbox_id=pod), timeout=60)
        self.assertFalse(self.listed(pod))

    def test_a_container_from_its_beginning_to_its_end(self):
        with self.daemon.pod() as (pod, config):
            container = self.daemon.create(pod, config, "echo out; echo err >&2; trap 'exit 7' TERM; while :; do sleep 1; done")
            self.assertEqual(self.daemon.status(container).state, m.CONTAINER_CREATED)
            self.daemon.start(container)
            status = self.daemon.status(container)
            self.assertEqual(status.state, m.CONTAINER_RUNNING)
            self.assertGreaterEqual(status.started_at, status.created_at)
            self.assertEqual(status.image.image, BUSYBOX)
            chosen = m.ContainerFilter(pod_sandbox_id=pod, label_selector={"container": "main"})
            listed = self.cri.ListContainers(m.ListContainersRequest(filter=chosen), timeout=60).containers
            self.assertEqual([c.id for c in listed], [container])
            pieces = self.cri.StreamContainers(m.StreamContainersRequest(filter=chosen), timeout=60)
            self.assertEqual([c.id for piece in pieces for c in piece.containers], [container])
            self.check_log(container, config)

            stop = m.StopContainerRequest(container_id=container, timeout=20)
            for _ in range(2):
                self.cri.StopContainer(stop, timeout=60)
            status = self.daemon.status(container)
            self.assertEqual((status.state, status.exit_code), (m.CONTAINER_EXITED, 7))
            self.assertGreaterEqual(status.finished_at, status.started_at)
            for _ in range(2):
                self.cri.RemoveContainer(m.RemoveContainerRequest(container_id=container), timeout=60)
            self.assertFalse(self.cri.ListContainers(m.ListContainersRequest(filter=chosen), timeout=60).containers)

    def check_log(self, container, config):
        path = os.path.join(config.log_directory, "main_0.log")

        def lines():
            with open(path) as file:
                return [line.split(" ", 3)[1:] for line in file.read().splitlines()]

        eventually("both lines are in the log", lambda: len(lines()) == 2)
        self.assertEqual(sorted(lines()), [["stderr", "F", "err"], ["stdout", "F", "out"]])
        os.rename(path, path + ".1")
        self.cri.ReopenContainerLog(m.ReopenContainerLogRequest(container_id=container), timeout=60)
        self.assertEqual(lines(), [])

    def test_resources_change_in_place(self):
        with self.daemon.running() as (pod, container):
            resources = m.LinuxContainerResources(cpu_shares=256, memory_limit_in_bytes=64 << 20)
            self.cri.UpdateContainerResources(
                m.UpdateContainerResourcesRequest(container_id=container, linux=resources), timeout=60)
            now = self.daemon.status(container).resources.linux
            self.assertEqual((now.cpu_shares, now.memory_limit_in_bytes), (256, 64 << 20))
            self.cri.UpdatePodSandboxResources(
                m.UpdatePodSandboxResourcesRequest(pod_sandbox_id=pod, resources=resources), timeout=60)

    def test_stats(self):
        with self.daemon.running("dd if=/dev/zero of=/written bs=4k count=64 2>/dev/null; while :; do sleep 1; done") as (pod, container):
            eventually("the file is there", lambda: self.daemon.exec(container, "test", "-s", "/written").exit_code == 0)
            one = self.cri.ContainerStats(m.ContainerStatsRequest(container_id=container), timeout=60).stats
            self.assertEqual(one.attributes.id, container)
            self.assertGreater(one.cpu.usage_core_nano_seconds.value, 0)
            self.assertGreater(one.memory.working_set_bytes.value, 0)
            self.assertGreaterEqual(one.writable_layer.used_bytes.value, 64 * 4096)
            only = m.ContainerStatsFilter(pod_sandbox_id=pod)
            listed = self.cri.ListContainerStats(m.ListContainerStatsRequest(filter=only), timeout=60).stats
            pieces = self.cri.StreamContainerStats(m.StreamContainerStatsRequest(filter=only), timeout=60)
            streamed = [s for piece in pieces for s in piece.container_stats]
            self.assertEqual([s.attributes.id for s in listed], [container])
            self.assertEqual([s.attributes.id for s in streamed], [container])

            of_pod = self.cri.PodSandboxStats(m.PodSandboxStatsRequest(pod_sandbox_id=pod), timeout=60).stats
            self.assertGreater(of_pod.linux.cpu.usage_core_nano_seconds.value, 0)
            self.assertEqual([c.attributes.id for c in of_pod.linux.containers], [container])
            self.assertEqual(of_pod.linux.network.default_interface.name, "eth0")
            only = m.PodSandboxStatsFilter(id=pod)
            listed = self.cri.ListPodSandboxStats(m.ListPodSandboxStatsRequest(filter=only), timeout=60).stats
            pieces = self.cri.StreamPodSandboxStats(m.StreamPodSandboxStatsRequest(filter=only), timeout=60)
            streamed = [s for piece in pieces for s in piece.pod_sandbox_stats]
            self.assertEqual([s.attributes.id for s in listed], [pod])
            self.assertEqual([s.attributes.id for s in streamed], [pod])

    def test_metrics(self):
        described = self.cri.ListMetricDescriptors(m.ListMetricDescriptorsRequest(), timeout=60).descriptors
        labels = {d.name: len(d.label_keys) for d in described}
        with self.daemon.running() as (pod, container):
            listed = self.cri.ListPodSandboxMetrics(m.ListPodSandboxMetricsRequest(), timeout=60).pod_metrics
            pieces = self.cri.StreamPodSandboxMetrics(m.StreamPodSandboxMetricsRequest(), timeout=60)
            streamed = [p for piece in pieces for p in piece.pod_sandbox_metrics]
            for pods in (listed, streamed):
                mine = next(p for p in pods if p.pod_sandbox_id == pod)
                of_container = next(c for c in mine.container_metrics if c.container_id == container)
                for metric in [*mine.metrics, *of_container.metrics]:
                    self.assertEqual(len(metric.label_values), labels[metric.name], metric.name)
                self.assertIn("container_cpu_usage_seconds_total", {metric.name for metric in of_container.metrics})

    def test_commands(self):
        with self.daemon.running() as (pod, container):
            answer = self.daemon.exec(container, "sh", "-c", "echo out; echo err >&2; exit 3")
            self.assertEqual((answer.stdout, answer.stderr, answer.exit_code), (b"out\n", b"err\n", 3))
            request = m.ExecRequest(
                container_id=container, cmd=["sh", "-c", "read line; echo got $line; echo err >&2; exit 5"],
                stdin=True, stdout=True, stderr=True)
            stream = Stream(self.cri.Exec(request, timeout=60).url)
            stream.send(0, b"hello\n")
            status = stream.finish()
            self.assertEqual((stream.received[STDOUT], stream.received[STDERR]), (b"got hello\n", b"err\n"))
            self.assertEqual(status["details"]["causes"], [{"reason": "ExitCode", "message": "5"}])

            request = m.ExecRequest(
                container_id=container, cmd=["sh", "-c", "stty size; read line; stty size"],
                tty=True, stdin=True, stdout=True)
            stream = Stream(self.cri.Exec(request, timeout=60).url)
            stream.send(4, b'{"Width":123,"Height":45}')
            stream.send(0, b"\n")
            stream.until(STDOUT, b"45 123")
            self.assertEqual(stream.finish().get("status"), "Success")

    def test_attach(self):
        script = "while read line; do echo said $line; done; echo end of input"
        with self.daemon.running(script, stdin=True, stdin_once=True) as (pod, container):
            request = m.AttachRequest(container_id=container, stdin=True, stdout=True, stderr=True)
            stream = Stream(self.cri.Attach(request, timeout=60).url)
            stream.send(0, b"one\n")
            stream.until(STDOUT, b"said one\n")
            stream.close_stdin()
            stream.until(STDOUT, b"end of input\n")
            stream.finish()
            eventually("it ends", lambda: self.daemon.status(container).state == m.CONTAINER_EXITED)

    def test_port_forward(self):
        script = "while :; do nc -l -p 8765 -e sh -c 'read line; echo heard $line'; done"
        with self.daemon.running(script) as (pod, container):
            request = m.PortForwardRequest(pod_sandbox_id=pod, port=[8765])

            def answer():
                return Forward(self.cri.PortForward(request, timeout=60).url, 8765).ask(b"knock\n")

            eventually("the server answers", lambda: answer() == b"heard knock\n", limit=30)

    def test_events(self):
        events = self.cri.GetContainerEvents(m.GetEventsRequest())
        try:
            # From here on nothing is missed.
            events.initial_metadata()
            with self.daemon.running("exit 9") as (pod, container):
                seen = self.take(events, container, m.CONTAINER_STOPPED_EVENT)
                last = seen[-1]
                self.assertEqual(last.pod_sandbox_status.id, pod)
                self.assertEqual([s.exit_code for s in last.containers_statuses if s.id == container], [9])
                order = [e.container_event_type for e in seen if e.container_id == container]
                self.assertEqual(
                    order, [m.CONTAINER_CREATED_EVENT, m.CONTAINER_STARTED_EVENT, m.CONTAINER_STOPPED_EVENT])
                self.cri.RemoveContainer(m.RemoveContainerRequest(container_id=container), timeout=60)
                self.take(events, container, m.CONTAINER_DELETED_EVENT)
        finally:
            events.cancel()

    def take(self, events, container, kind):
        """Events until one of that kind of the container."""
        seen = []
        for event in events:
            seen.append(event)
            if event.container_id == container and event.container_event_type == kind:
                return seen
        self.fail("the event stream ended")

    def test_checkpoint(self):
        archive = self.daemon.path("checkpoint.tar")
        with self.daemon.running() as (pod, container):
            request = m.CheckpointContainerRequest(container_id=container, location=archive, timeout=30)
            try:
                self.cri.CheckpointContainer(request, timeout=90)
            except grpc.RpcError as error:
                # A host without criu, or whose kernel criu doesn't know: the answer says so, and the container runs on.
                self.assertIn("checkpoint", error.details().lower())
                self.assertFalse(os.path.exists(archive))
            else:
                listing = subprocess.run(["tar", "-tf", archive], stdout=subprocess.PIPE, check=True, text=True).stdout
                self.assertIn("config.dump", listing)
            self.assertEqual(self.daemon.exec(container, "echo", "alive").stdout, b"alive\n")


class NothingLeftOut(unittest.TestCase):
    """Runs after everything else."""

    def test_every_call_of_the_proto_was_made(self):
        self.assertEqual(every_call() - Calls.made, set())
