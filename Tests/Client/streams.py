"""Kubernetes' remotecommand and port-forward over websocket-client."""

import json

import websocket

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


class Stream:
    """An exec or attach stream of version 5: a binary message's first byte is its channel."""

    def __init__(self, url):
        self.socket = websocket.create_connection(
            url.replace("http", "ws", 1), subprotocols=["v5.channel.k8s.io"], timeout=60)
        assert self.socket.getsubprotocol() == "v5.channel.k8s.io"
        self.received = {channel: b"" for channel in (STDOUT, STDERR, ERROR)}

    def send(self, channel, data):
        self.socket.send_binary(bytes([channel]) + data)

    def close_stdin(self):
        self.socket.send_binary(bytes([CLOSE, STDIN]))

    def read(self):
        """Takes one message; false at the end."""
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE or not data:
            return False
        if data[0] in self.received:
            self.received[data[0]] += data[1:]
        return True

    def until(self, channel, text):
        while text not in self.received[channel]:
            if not self.read():
                raise AssertionError(f"the stream ended before {text!r} came: {self.received}")

    def finish(self):
        """Reads to the end; the status object that the server sends last."""
        try:
            while self.read():
                pass
        except websocket.WebSocketConnectionClosedException:
            pass
        self.socket.close()
        return json.loads(self.received[ERROR] or b"{}")


class Forward:
    """One forwarded port of version 4: channel 0 carries data, channel 1 errors, each begins with the port's number."""

    def __init__(self, url, port):
        separator = "&" if "?" in url else "?"
        self.socket = websocket.create_connection(
            f"{url.replace('http', 'ws', 1)}{separator}port={port}", subprotocols=["v4.channel.k8s.io"], timeout=60)
        expected = [bytes([channel]) + port.to_bytes(2, "little") for channel in (0, 1)]
        found = [self.socket.recv(), self.socket.recv()]
        assert sorted(found) == expected, found

    def ask(self, data):
        """Sends data and returns all that comes until the other side ends, or an error's text."""
        self.socket.send_binary(b"\0" + data)
        answer = b""
        while True:
            try:
                opcode, message = self.socket.recv_data()
            except websocket.WebSocketConnectionClosedException:
                return answer
            if opcode == websocket.ABNF.OPCODE_CLOSE or not message:
                return answer
            answer += message[1:]
