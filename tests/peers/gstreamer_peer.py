"""A GStreamer listener: `gstreamer_peer.py WHEP_URL OCTETS FILE`.

webrtcbin offers Opus to the URL and writes what it decodes, 48 kHz, one channel,
16 bits little-endian, until the file has that many octets. Then it prints the key type of its
certificate as JSON, deletes its session and ends. `tests/src/recording.rs` is the other end.
"""

import base64
import json
import os
import sys
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

CODEC = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000"
DECODER = (
    "rtpopusdepay ! opusdec ! audioconvert ! audioresample"
    " ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! filesink buffer-mode=2 location="
)
RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")


class Peer:
    def __init__(self, url, octets, path):
        self.url, self.octets, self.path = url, octets, path
        self.session = None
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline()
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        if self.webrtc is None:
            sys.exit("webrtcbin is missing")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("pad-added", self.decode)
        self.webrtc.connect("notify::ice-gathering-state", self.post_offer)

    def run(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: fail(message.parse_error()))
        self.pipeline.set_state(Gst.State.PLAYING)
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        self.webrtc.emit("add-transceiver", direction, Gst.Caps.from_string(CODEC))
        self.webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))
        GLib.timeout_add(20, self.look)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def offered(self, promise):
        # The offer belongs to the reply.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def post_offer(self, *_):
        state = self.webrtc.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.session:
            GLib.idle_add(self.exchange)

    def exchange(self):
        offer = self.webrtc.get_property("local-description").sdp.as_text()
        headers = {"Content-Type": "application/sdp"}
        request = urllib.request.Request(self.url, offer.encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            self.session = urllib.parse.urljoin(self.url, response.headers["Location"])
            _, answer = GstSdp.SDPMessage.new_from_text(response.read().decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, answer)
        self.webrtc.emit("set-remote-description", answer, Gst.Promise.new())

    def decode(self, _, pad):
        decoder = Gst.parse_bin_from_description(DECODER + self.path, True)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def look(self):
        if not os.path.exists(self.path) or os.path.getsize(self.path) < self.octets:
            return True
        print(json.dumps({"certificate": self.key_type()}), flush=True)
        urllib.request.urlopen(urllib.request.Request(self.session, method="DELETE"), timeout=10)
        self.loop.quit()
        return False

    def key_type(self):
        elements = self.webrtc.iterate_recurse()
        while True:
            result, element = elements.next()
            if result != Gst.IteratorResult.OK:
                sys.exit("there is no dtlsdec")
            if element.get_factory() and element.get_factory().get_name() == "dtlsdec":
                return "RSA" if RSA_ENCRYPTION in certificate(element) else "other"


def certificate(dtlsdec):
    """The own certificate in DER."""
    pem = dtlsdec.get_property("pem").split("-----BEGIN CERTIFICATE-----")[1]
    return base64.b64decode(pem.split("-----END")[0])


def fail(error):
    print(error, file=sys.stderr, flush=True)
    os._exit(1)


def fail_at_exception(*exception):
    sys.__excepthook__(*exception)
    os._exit(1)


# PyGObject would only print what is raised in a callback.
sys.excepthook = fail_at_exception
Gst.init(None)
Peer(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run()
