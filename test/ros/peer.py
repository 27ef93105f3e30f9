"""The other end of the graph: an rclpy process that plays a bag, listens and calls services as it is told.

Reads one JSON object a line, {"do": name, ...arguments}, and answers each with one: {"ok": value} or {"error": text}.
"""

import importlib
import json
import struct
import sys
import threading
import time

import rclpy
from mcap.reader import make_reader
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message

NS = 10**9


def interface(name):
    """`sensor_msgs/msg/Image` as its class."""
    package, kind, name = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), name)


def qos(spec):
    reliable = spec.get("reliable", True)
    latched = spec.get("latched", False)
    return QoSProfile(
        depth=spec.get("depth", 50),
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def read_stamp(data, at):
    sec, nanosec = struct.unpack_from("<iI", data, at)
    return sec * NS + nanosec


def shifted(topic, data, shift_ns):
    """The message with its stamp moved; that of /tf stands behind the count of its one transform."""
    at = 8 if topic == "/tf" else 4
    stamp = read_stamp(data, at) + shift_ns
    out = bytearray(data)
    struct.pack_into("<iI", out, at, stamp // NS, stamp % NS)
    return bytes(out), stamp


def plain(message):
    """A message as JSON: long arrays as their length and a few sums."""
    if hasattr(message, "get_fields_and_field_types"):
        return {name: plain(getattr(message, name)) for name in message.get_fields_and_field_types()}
    if isinstance(message, bytes):
        return list(message)
    if isinstance(message, (str, int, float, bool)):
        return message
    values = list(message)
    if len(values) > 64 and isinstance(values[0], (int, float)):
        return {"length": len(values), "sum": sum(values), "hex": bytes(v & 255 for v in values).hex()}
    return [plain(value) for value in values]


class Peer:
    def __init__(self):
        rclpy.init()
        self.node = rclpy.create_node("peer")
        self.publishers = {}
        self.subscriptions = {}
        self.received = {}
        self.clients = {}
        self.lock = threading.Condition()
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        threading.Thread(target=self.spin, daemon=True).start()

    def spin(self):
        try:
            self.executor.spin()
        except ExternalShutdownException:
            pass

    def load(self, path, left="/left/image_rect"):
        """Reads a bag: its messages in the order of their log times. Each image of `left` begins a frame."""
        with open(path, "rb") as file:
            self.bag = [
                (schema.name, channel.topic, message.log_time, message.data)
                for schema, channel, message in make_reader(file).iter_messages()
            ]
        self.left = left
        lefts = [log for _, topic, log, _ in self.bag if topic == left]
        self.frames = {log: number for number, log in enumerate(lefts)}
        return len(lefts)

    def advertise(self, namespace="", reliable=False, leave_out=()):
        for kind, topic, _, _ in self.bag:
            if topic in leave_out or (namespace + topic) in self.publishers:
                continue
            is_tf = topic.startswith("/tf")
            name = topic if is_tf else namespace + topic
            spec = {"reliable": is_tf or reliable, "latched": topic == "/tf_static", "depth": 10}
            self.publishers[namespace + topic] = self.node.create_publisher(interface(kind), name, qos(spec))

    def unadvertise(self, topics):
        for topic in topics:
            self.node.destroy_publisher(self.publishers.pop(topic))

    def matched(self, topics, within=30):
        """Waits until each of the topics that are played has a subscriber."""
        end = time.time() + within
        while time.time() < end:
            if all(self.publishers[topic].get_subscription_count() > 0 for topic in topics):
                # The subscriber may know later: until then it hears nothing that is best-effort.
                time.sleep(0.5)
                return True
            time.sleep(0.02)
        return False

    def play(self, first, count, period=0.1, namespace="", leave_out=(), right_late=0, await_topic=None, within=20):
        """Plays frames of the bag with the stamps of now. With `await_topic` the next frame waits for its answer.

        Returns the stamps of the left images, and how many milliseconds after its stamp each answer came.
        """
        sent, answers = [], []
        for number in range(first, first + count):
            began = time.time()
            log = next(log for log, found in self.frames.items() if found == number)
            stamp = None
            now = time.time_ns()
            for _, topic, at, data in self.bag:
                is_static = topic == "/tf_static"
                if topic in leave_out or (at != log and not (is_static and number == first)):
                    continue
                if not is_static:
                    late = int(right_late * 1e9) if "/right/image_rect" in topic else 0
                    data, moved = shifted(topic, data, now - log + late)
                    stamp = moved if topic == self.left else stamp
                self.publishers[namespace + topic].publish(data)
            sent.append(stamp)
            if await_topic is not None:
                answers.append(self.answer(await_topic, stamp, within))
            time.sleep(max(0.0, period - (time.time() - began)))
        return {"sent": [str(stamp) for stamp in sent], "answers": answers}

    def answer(self, topic, stamp, within):
        end = time.time() + within
        with self.lock:
            while time.time() < end:
                for at, data in reversed(self.received[topic]):
                    if read_stamp(data, 4) == stamp:
                        return (at - stamp) / 1e6
                self.lock.wait(0.05)
        return None

    def subscribe(self, topic, type, **spec):
        messages = self.received.setdefault(topic, [])

        def hear(data):
            with self.lock:
                messages.append((time.time_ns(), data))
                self.lock.notify_all()

        self.subscriptions[topic] = (
            self.node.create_subscription(interface(type), topic, hear, qos(spec), raw=True),
            interface(type),
        )

    def unsubscribe(self, topic):
        self.node.destroy_subscription(self.subscriptions.pop(topic)[0])

    def stamps(self, topic):
        with self.lock:
            return [str(read_stamp(data, 4)) for _, data in self.received[topic]]

    def count(self, topic):
        with self.lock:
            return len(self.received[topic])

    def forget(self, topic):
        with self.lock:
            self.received[topic].clear()

    def last(self, topic, within=5):
        """The newest message; waits for one."""
        end = time.time() + within
        with self.lock:
            while not self.received[topic] and time.time() < end:
                self.lock.wait(0.05)
            if not self.received[topic]:
                return None
            return plain(deserialize_message(self.received[topic][-1][1], self.subscriptions[topic][1]))

    def call(self, service, type, request=None, within=20):
        kind = interface(type)
        if service not in self.clients:
            self.clients[service] = self.node.create_client(kind, service)
        client = self.clients[service]
        if not client.wait_for_service(timeout_sec=within):
            raise TimeoutError(f"{service} is not there")
        message = kind.Request()
        fill(message, request or {})
        future = client.call_async(message)
        end = time.time() + within
        while not future.done() and time.time() < end:
            time.sleep(0.005)
        if not future.done():
            raise TimeoutError(f"{service} did not answer")
        return plain(future.result())


def fill(message, values):
    """Sets the fields of a message from JSON."""
    for name, value in values.items():
        current = getattr(message, name)
        if isinstance(value, dict):
            fill(current, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            kind = message.get_fields_and_field_types()[name].removeprefix("sequence<").removesuffix(">")
            made = []
            for each in value:
                made.append(interface(kind.replace("/", "/msg/"))())
                fill(made[-1], each)
            setattr(message, name, made)
        else:
            setattr(message, name, float(value) if isinstance(current, float) else value)


def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": getattr(peer, request.pop("do"))(**request)}
        except Exception as error:  # whatever it is, the test has to hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    rclpy.shutdown()


main()
