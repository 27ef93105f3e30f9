"""The other end of the graph: an rclpy process that plays a bag, listens and calls services as it is told.

Reads one JSON object a line, {"do": name, ...arguments}, and answers each with one: {"ok": value} or {"error": text}.
"""

import json
import sys
import threading
import time

import rclpy
from mcap.reader import make_reader
from peer_messages import fill, interface, plain, read_stamp, shifted
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.time import Time
from rosgraph_msgs.msg import Clock


def qos(spec):
    reliable = spec.get("reliable", True)
    latched = spec.get("latched", False)
    return QoSProfile(
        depth=spec.get("depth", 50),
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


class Received:
    """What came on a topic: all stamps in order, when each came first (nanoseconds), and the last message."""

    def __init__(self):
        self.forget()

    def hear(self, data):
        stamp = read_stamp(data, 4)
        self.stamps.append(stamp)
        self.came.setdefault(stamp, time.time_ns())
        self.last = data

    def forget(self):
        self.stamps, self.came, self.last = [], {}, None


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
        """Reads a bag. A frame is an image of `left` and what has its log time; returns how many there are."""
        self.left = left
        self.kinds, self.static, self.logs, self.frame_messages = {}, [], [], {}
        with open(path, "rb") as file:
            for schema, channel, message in make_reader(file).iter_messages():
                self.kinds[channel.topic] = schema.name
                if channel.topic == "/tf_static":
                    self.static.append((channel.topic, message.data))
                    continue
                if channel.topic == left:
                    self.logs.append(message.log_time)
                self.frame_messages.setdefault(message.log_time, []).append((channel.topic, message.data))
        return len(self.logs)

    def advertise(self, namespace="", reliable=False, leave_out=()):
        for topic, kind in self.kinds.items():
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

    def play(
        self,
        first,
        count,
        period=0.1,
        namespace="",
        leave_out=(),
        right_late=0,
        age=0,
        sim_time=False,
        await_topic=None,
        within=20,
    ):
        """Plays frames of the bag, round and round, a frame every `period` seconds.

        Stamps are those of now less `age` seconds; with `sim_time` they are the bag's own, and /clock goes before them.
        With `await_topic`, a topic or a list of them, the next frame waits for the answer to the one before: topics
        overtake each other on their way. Returns the stamps of the left images, and how many milliseconds after it was
        published each frame was answered on all of them.
        """
        sent, answers = [], []
        due = time.time()
        for number in range(first, first + count):
            now = time.time_ns()
            log = self.logs[number % len(self.logs)]
            shift = 0 if sim_time else now - log - int(age * 1e9)
            if sim_time:
                self.tell_time(log)
            stamp = None
            for topic, data in self.frame_messages[log] if number > first else self.static + self.frame_messages[log]:
                if topic in leave_out:
                    continue
                if topic != "/tf_static":
                    late = int(right_late * 1e9) if "/right/image_rect" in topic else 0
                    data, moved = shifted(topic, data, shift + late)
                    stamp = moved if topic == self.left else stamp
                self.publishers[namespace + topic].publish(data)
            sent.append(stamp)
            if await_topic is not None:
                topics = [await_topic] if isinstance(await_topic, str) else await_topic
                came = [self.answer(topic, stamp, within) for topic in topics]
                answers.append(None if None in came else (max(came) - now) / 1e6)
            due = max(due + period, time.time() - period)
            time.sleep(max(0.0, due - time.time()))
        return {"sent": [str(stamp) for stamp in sent], "answers": answers}

    def tell_time(self, ns):
        if "/clock" not in self.publishers:
            self.publishers["/clock"] = self.node.create_publisher(Clock, "/clock", 10)
            self.matched(["/clock"])
        self.publishers["/clock"].publish(Clock(clock=Time(nanoseconds=ns).to_msg()))

    def answer(self, topic, stamp, within):
        """When the message with this stamp came, nanoseconds; waits for it."""
        end = time.time() + within
        received = self.received[topic]
        with self.lock:
            while stamp not in received.came and time.time() < end:
                self.lock.wait(0.05)
            return received.came.get(stamp)

    def latencies(self, topic, stamps, within=5):
        """For each stamp: how many milliseconds later the message with it came; waits for the last one."""
        self.answer(topic, int(stamps[-1]), within)
        with self.lock:
            came = self.received[topic].came
            return [(came[int(stamp)] - int(stamp)) / 1e6 if int(stamp) in came else None for stamp in stamps]

    def endpoints(self, topic):
        """Who publishes and subscribes, and with which reliability and durability."""
        found = {
            "publishers": self.node.get_publishers_info_by_topic(topic),
            "subscribers": self.node.get_subscriptions_info_by_topic(topic),
        }
        return {
            kind: {one.node_name: [one.qos_profile.reliability.name, one.qos_profile.durability.name] for one in ones}
            for kind, ones in found.items()
        }

    def subscribe(self, topic, type, **spec):
        received = self.received.setdefault(topic, Received())

        def hear(data):
            with self.lock:
                received.hear(data)
                self.lock.notify_all()

        self.subscriptions[topic] = (
            self.node.create_subscription(interface(type), topic, hear, qos(spec), raw=True),
            interface(type),
        )

    def unsubscribe(self, topic):
        self.node.destroy_subscription(self.subscriptions.pop(topic)[0])

    def stamps(self, topic):
        with self.lock:
            return [str(stamp) for stamp in self.received[topic].stamps]

    def count(self, topic):
        with self.lock:
            return len(self.received[topic].stamps)

    def forget(self, topic):
        with self.lock:
            self.received[topic].forget()

    def last(self, topic, within=5):
        """The newest message; waits for one."""
        end = time.time() + within
        with self.lock:
            while self.received[topic].last is None and time.time() < end:
                self.lock.wait(0.05)
            last = self.received[topic].last
            return None if last is None else plain(deserialize_message(last, self.subscriptions[topic][1]))

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
