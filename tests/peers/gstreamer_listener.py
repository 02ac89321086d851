"""What the GStreamer listeners of the tests have in common: a webrtcbin that decodes to a file."""

import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402


class Listener:
    """Calls `gathered` when the local description has all candidates, in `run` after `begin`."""

    def __init__(self, decoder, path):
        self.sink = f"{decoder} ! filesink buffer-mode=2 location={path}"
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline()
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        if self.webrtc is None:
            sys.exit("webrtcbin is missing")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("pad-added", self.decode)
        self.webrtc.connect("notify::ice-gathering-state", self.look_at_gathering)

    def run(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: fail(message.parse_error()))
        self.pipeline.set_state(Gst.State.PLAYING)
        self.begin()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def look_at_gathering(self, *_):
        state = self.webrtc.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered()

    def local_sdp(self):
        return self.webrtc.get_property("local-description").sdp.as_text()

    def set_local(self, promise, kind):
        # The description belongs to the reply.
        reply = promise.get_reply()
        description = reply.get_value(kind)
        self.webrtc.emit("set-local-description", description, Gst.Promise.new())

    def set_remote(self, kind, sdp):
        _, parsed = GstSdp.SDPMessage.new_from_text(sdp)
        description = GstWebRTC.WebRTCSessionDescription.new(kind, parsed)
        self.webrtc.emit("set-remote-description", description, Gst.Promise.new())

    def decode(self, _, pad):
        decoder = Gst.parse_bin_from_description(self.sink, True)
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
