"""A GStreamer listener that answers: `gstreamer_answerer.py FILE`.

Reads an offer of PCMU from standard input and prints its answer, each a line of JSON, and writes
what it decodes, 8 kHz, one channel, 16 bits little-endian, until standard input ends.
`tests/src/gstreamer.rs` is the other end.
"""

import json
import sys

from gstreamer_listener import GLib, Gst, GstWebRTC, Listener

DECODER = (
    "rtppcmudepay ! mulawdec ! audioconvert ! audioresample"
    " ! audio/x-raw,format=S16LE,rate=8000,channels=1"
)


class Answerer(Listener):
    def __init__(self, path):
        super().__init__(DECODER, path)
        self.answered = False

    def begin(self):
        ready = GLib.IO_IN | GLib.IO_HUP
        GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, ready, self.read)

    def read(self, *_):
        line = sys.stdin.readline()
        if not line:
            self.loop.quit()
            return False
        answer = Gst.Promise.new_with_change_func(self.set_local, "answer")
        self.set_remote(GstWebRTC.WebRTCSDPType.OFFER, json.loads(line)["sdp"])
        self.webrtc.emit("create-answer", None, answer)
        return True

    def gathered(self):
        if not self.answered:
            self.answered = True
            print(json.dumps({"sdp": self.local_sdp()}), flush=True)


Answerer(sys.argv[1]).run()
