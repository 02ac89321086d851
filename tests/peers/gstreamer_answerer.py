"""A GStreamer listener that answers: `gstreamer_answerer.py FILE`.

Reads an offer of PCMU from standard input and prints its answer, each a line of JSON, and writes
what it decodes, 8 kHz, one channel, 16 bits little-endian, until standard input ends.
`tests/src/gstreamer.rs` is the other end.
"""

import json
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

DECODER = (
    "rtppcmudepay ! mulawdec ! audioconvert ! audioresample"
    " ! audio/x-raw,format=S16LE,rate=8000,channels=1 ! filesink buffer-mode=2 location="
)


class Peer:
    def __init__(self, path):
        self.path = path
        self.answered = False
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline()
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        if self.webrtc is None:
            sys.exit("webrtcbin is missing")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("pad-added", self.decode)
        self.webrtc.connect("notify::ice-gathering-state", self.print_answer)

    def run(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: fail(message.parse_error()))
        self.pipeline.set_state(Gst.State.PLAYING)
        ready = GLib.IO_IN | GLib.IO_HUP
        GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, ready, self.read)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def read(self, *_):
        line = sys.stdin.readline()
        if not line:
            self.loop.quit()
            return False
        _, offer = GstSdp.SDPMessage.new_from_text(json.loads(line)["sdp"])
        offer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, offer)
        answer = Gst.Promise.new_with_change_func(self.answer)
        self.webrtc.emit("set-remote-description", offer, Gst.Promise.new())
        self.webrtc.emit("create-answer", None, answer)
        return True

    def answer(self, promise):
        # The answer belongs to the reply.
        reply = promise.get_reply()
        answer = reply.get_value("answer")
        self.webrtc.emit("set-local-description", answer, Gst.Promise.new())

    def print_answer(self, *_):
        state = self.webrtc.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.answered:
            self.answered = True
            answer = self.webrtc.get_property("local-description").sdp.as_text()
            print(json.dumps({"sdp": answer}), flush=True)

    def decode(self, _, pad):
        decoder = Gst.parse_bin_from_description(DECODER + self.path, True)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))


def fail(error):
    print(error, file=sys.stderr, flush=True)
    os._exit(1)


def fail_at_exception(*exception):
    sys.__excepthook__(*exception)
    os._exit(1)


# PyGObject would only print what is raised in a callback.
sys.excepthook = fail_at_exception
Gst.init(None)
Peer(sys.argv[1]).run()
