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

from gstreamer_listener import GLib, Gst, GstWebRTC, Listener

CODEC = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000"
DECODER = (
    "rtpopusdepay ! opusdec ! audioconvert ! audioresample"
    " ! audio/x-raw,format=S16LE,rate=48000,channels=1"
)
RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")


class Peer(Listener):
    def __init__(self, url, octets, path):
        super().__init__(DECODER, path)
        self.url, self.octets, self.path = url, octets, path
        self.session = None

    def begin(self):
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        self.webrtc.emit("add-transceiver", direction, Gst.Caps.from_string(CODEC))
        offer = Gst.Promise.new_with_change_func(self.set_local, "offer")
        self.webrtc.emit("create-offer", None, offer)
        GLib.timeout_add(20, self.look)

    def gathered(self):
        if not self.session:
            GLib.idle_add(self.exchange)

    def exchange(self):
        headers = {"Content-Type": "application/sdp"}
        request = urllib.request.Request(self.url, self.local_sdp().encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            self.session = urllib.parse.urljoin(self.url, response.headers["Location"])
            self.set_remote(GstWebRTC.WebRTCSDPType.ANSWER, response.read().decode())

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


Peer(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run()
