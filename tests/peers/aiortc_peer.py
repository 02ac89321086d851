"""An aiortc receiver driven over JSON lines: one command on stdin, one reply on stdout.

Everything it reports about RTP and RTCP is read here from the decrypted bytes
(RFC 3550, RFC 8285), not by aiortc, so that a lenient parser there hides nothing.
`tests/src/aiortc.rs` is the other end and documents the replies.
"""

import asyncio
import collections
import json
import math
import struct
import sys
import time
import traceback

import numpy
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import RTCDtlsTransport
from OpenSSL import SSL

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
TONE_TIMEOUT = 10.0


class RtpLog:
    """Every RTP packet, in the order of arrival."""

    def __init__(self):
        self.extensions = {}
        self.packets = 0
        self.payload_octets = 0
        self.malformed = 0
        self.ssrcs = []
        self.payload_types = []
        self.mids = []
        self.audio_levels = []
        self.voice = 0
        self.markers = []
        self.gaps = []
        self.repeats = []
        self.timestamp_steps = collections.Counter()
        self.first = None
        self.last = None
        self.last_arrival = None

    def add(self, data):
        try:
            offset = self.read_header(data)
        except (IndexError, struct.error):
            self.malformed += 1
            return
        padding = data[-1] if data[0] & 0x20 else 0
        self.packets += 1
        self.payload_octets += len(data) - offset - padding
        self.last_arrival = time.monotonic()

    def read_header(self, data):
        bits, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        offset = 12 + 4 * (bits & 0x0F)
        if bits & 0x10:
            profile, words = struct.unpack_from("!HH", data, offset)
            offset += 4
            self.read_extensions(profile, data[offset : offset + 4 * words])
            offset += 4 * words
        if second & 0x80:
            self.markers.append(sequence)
        note(self.ssrcs, ssrc)
        note(self.payload_types, second & 0x7F)
        self.follow(sequence, timestamp)
        return offset

    def follow(self, sequence, timestamp):
        if self.last is None:
            self.first = (sequence, timestamp)
        else:
            step = (sequence - self.last[0]) & 0xFFFF
            if step == 0:
                self.repeats.append(sequence)
            elif step != 1:
                self.gaps.append([self.last[0], sequence])
            else:
                self.timestamp_steps[(timestamp - self.last[1]) & 0xFFFFFFFF] += 1
        self.last = (sequence, timestamp)

    def read_extensions(self, profile, block):
        """RFC 8285: one-byte headers (section 4.2), two-byte headers (section 4.3)."""
        at = 0
        while at < len(block):
            if block[at] == 0:
                at += 1
                continue
            if profile == 0xBEDE:
                number, length = block[at] >> 4, (block[at] & 0x0F) + 1
                at += 1
            else:
                number, length = block[at], block[at + 1]
                at += 2
            self.read_extension(self.extensions.get(number), block[at : at + length])
            at += length

    def read_extension(self, uri, value):
        if uri == MID_URI:
            note(self.mids, value.decode())
        elif uri == AUDIO_LEVEL_URI:
            note(self.audio_levels, -(value[0] & 0x7F))
            self.voice += value[0] >> 7

    def report(self):
        return {
            "packets": self.packets,
            "payload_octets": self.payload_octets,
            "malformed": self.malformed,
            "ssrcs": self.ssrcs,
            "payload_types": self.payload_types,
            "mids": self.mids,
            "audio_levels": self.audio_levels,
            "voice": self.voice,
            "markers": self.markers,
            "gaps": self.gaps,
            "repeats": self.repeats,
            "timestamp_steps": sorted(self.timestamp_steps.items()),
            "first": self.first,
            "last": self.last,
        }


class RtcpLog:
    """Every RTCP compound, with what the peer had received when it came, and what it reported."""

    def __init__(self, rtp):
        self.rtp = rtp
        self.compounds = []
        self.malformed = 0
        self.sender_reports = []
        self.receiver_reports = []
        self.cnames = []
        self.byes = []

    def add(self, data):
        try:
            packets = list(split_compound(data))
        except (IndexError, struct.error):
            self.malformed += 1
            return
        types = [packet[0] for packet in packets]
        self.compounds.append(types)
        for packet_type, count, body in packets:
            if packet_type == 200:
                self.add_sender_report(body)
            elif packet_type == 202:
                self.add_cname(body)
            elif packet_type == 203:
                sources = list(struct.unpack_from(f"!{count}I", body))
                self.byes.append({"sources": sources, "compound": types})

    def add_sender_report(self, body):
        ssrc, seconds, fraction, timestamp, packets, octets = struct.unpack_from("!6I", body)
        last = self.rtp.last
        self.sender_reports.append(
            {
                "ssrc": ssrc,
                "ntp_time": seconds - 2208988800 + fraction / 2**32,
                "arrival_time": time.time(),
                "rtp_timestamp": timestamp,
                "packets": packets,
                "octets": octets,
                "received_packets": self.rtp.packets,
                "received_octets": self.rtp.payload_octets,
                "last_rtp_timestamp": last[1] if last else None,
                "since_last_packet": time.monotonic() - self.rtp.last_arrival if last else None,
            }
        )

    def add_sent(self, data):
        """RFC 3550 section 6.4.2; of anything but receiver reports nothing is kept."""
        for packet_type, count, body in split_compound(data):
            if packet_type == 201:
                for block in struct.iter_unpack("!IB3sIIII", body[4 : 4 + 24 * count]):
                    self.add_report_block(*block)

    def add_report_block(self, ssrc, fraction, lost, _highest, jitter, last_sr, delay):
        self.receiver_reports.append(
            {
                "ssrc": ssrc,
                "fraction_lost": fraction,
                "packets_lost": int.from_bytes(lost, "big", signed=True),
                "jitter": jitter,
                "last_sr": last_sr,
                "delay_since_last_sr": delay,
                "sent_time": time.time(),
            }
        )

    def add_cname(self, body):
        if body[4] == 1:
            note(self.cnames, body[6 : 6 + body[5]].decode())

    def report(self):
        return {
            "compounds": self.compounds,
            "malformed": self.malformed,
            "sender_reports": self.sender_reports,
            "receiver_reports": self.receiver_reports,
            "cnames": self.cnames,
            "byes": self.byes,
        }


def split_compound(data):
    """RFC 3550 section 6.4: yields (packet type, count, body) of each packet."""
    at = 0
    while at < len(data):
        bits, packet_type, words = struct.unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        if bits >> 6 != 2 or end > len(data):
            raise IndexError("RTCP length or version")
        yield packet_type, bits & 0x1F, data[at + 4 : end]
        at = end


def note(seen, value):
    if value not in seen:
        seen.append(value)


class Listening:
    """The decoded audio of one track, newest block only."""

    def __init__(self):
        self.blocks = []
        self.wanted = 0.0
        self.seconds = 0.0
        self.complete = asyncio.Event()
        self.rate = 0
        self.frames = 0

    async def run(self, track):
        try:
            while True:
                self.add(await track.recv())
        except MediaStreamError:
            pass

    def add(self, frame):
        self.frames += 1
        if self.complete.is_set() or not self.wanted:
            return
        channels = len(frame.layout.channels)
        samples = frame.to_ndarray().reshape(-1, channels).mean(axis=1) / 32768
        self.rate = frame.sample_rate
        self.blocks.append(samples)
        self.seconds += len(samples) / frame.sample_rate
        if self.seconds >= self.wanted:
            self.complete.set()

    def record(self, seconds):
        self.blocks, self.seconds, self.wanted = [], 0.0, seconds
        self.complete.clear()

    async def recorded(self):
        try:
            await asyncio.wait_for(self.complete.wait(), self.wanted + TONE_TIMEOUT)
        except asyncio.TimeoutError:
            raise RuntimeError(f"only {self.seconds:.2f} s of audio were decoded") from None
        return numpy.concatenate(self.blocks)


def measure(samples, rate):
    """Dominant frequency in Hz, its share of the energy, and the level in dBFS (RMS)."""
    spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples)))) ** 2
    peak = 1 + int(numpy.argmax(spectrum[1:-1]))
    low, middle, high = numpy.log(spectrum[peak - 1 : peak + 2] + 1e-30)
    curve = low - 2 * middle + high
    offset = 0.5 * (low - high) / curve if curve else 0.0
    total = float(spectrum.sum())
    power = float(numpy.mean(samples**2))
    return {
        "frequency": (peak + float(offset)) * rate / len(samples),
        "purity": float(spectrum[max(0, peak - 3) : peak + 4].sum()) / total if total else 0.0,
        "level": 10 * math.log10(power) if power else None,
        "sample_rate": rate,
    }


class Peer:
    """One peer connection and what it has received."""

    def __init__(self):
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.rtp = RtpLog()
        self.rtcp = RtcpLog(self.rtp)
        self.listening = Listening()
        self.tasks = []
        self.connection.on("track", self.start_listening)

    def start_listening(self, track):
        self.tasks.append(asyncio.ensure_future(self.listening.run(track)))

    async def create_offer(self, command):
        self.add_transceiver(command["direction"], command["codecs"])
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return {"sdp": self.connection.localDescription.sdp}

    async def accept_answer(self, command):
        self.learn_extensions(command["sdp"])
        await self.connection.setRemoteDescription(
            RTCSessionDescription(sdp=command["sdp"], type="answer")
        )
        return {}

    async def accept_offer(self, command):
        self.add_transceiver("recvonly", command["codecs"])
        await self.connection.setRemoteDescription(
            RTCSessionDescription(sdp=command["sdp"], type="offer")
        )
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        answer = self.connection.localDescription.sdp
        self.learn_extensions(answer)
        return {"sdp": answer}

    def add_transceiver(self, direction, names):
        transceiver = self.connection.addTransceiver("audio", direction=direction)
        transceiver.setCodecPreferences(codecs(names))

    def learn_extensions(self, sdp):
        for line in sdp.splitlines():
            if line.startswith("a=extmap:"):
                number, uri = line.removeprefix("a=extmap:").split()[:2]
                self.rtp.extensions[int(number.split("/")[0])] = uri

    async def report(self, _command):
        transports = [t.receiver.transport for t in self.connection.getTransceivers()]
        transport = transports[0] if transports else None
        return {
            "connection_state": self.connection.connectionState,
            "ice_connection_state": self.connection.iceConnectionState,
            "dtls_state": transport.state if transport else "new",
            "close_notify": bool(transport and closed_by_peer(transport)),
            "decoded_frames": self.listening.frames,
            "rtp": self.rtp.report(),
            "rtcp": self.rtcp.report(),
        }

    async def record(self, command):
        self.listening.record(command["seconds"])
        return {}

    async def recorded(self, _command):
        samples = await self.listening.recorded()
        return {
            "sample_rate": self.listening.rate,
            "samples": (samples * 32767).round().astype(int).tolist(),
        }

    async def tone(self, command):
        self.listening.record(command["seconds"])
        return measure(await self.listening.recorded(), self.listening.rate)

    async def close(self, _command):
        await self.connection.close()
        for task in self.tasks:
            task.cancel()
        return {}


def codecs(names):
    available = RTCRtpReceiver.getCapabilities("audio").codecs
    wanted = [c for n in names for c in available if c.mimeType.lower() == f"audio/{n}".lower()]
    if len(wanted) != len(names):
        raise RuntimeError(f"aiortc lacks one of {names}")
    return wanted


def closed_by_peer(transport):
    """Whether the DTLS close_notify of the other side has been read."""
    return bool(transport._ssl and transport._ssl.get_shutdown() & SSL.RECEIVED_SHUTDOWN)


def record(peer):
    """Copies every packet in the clear to the peer's logs on its way into aiortc or out of it."""
    handle_rtp = RTCDtlsTransport._handle_rtp_data
    handle_rtcp = RTCDtlsTransport._handle_rtcp_data
    send = RTCDtlsTransport._send_rtp

    async def rtp(self, data, arrival_time_ms):
        peer.rtp.add(data)
        await handle_rtp(self, data, arrival_time_ms)

    async def rtcp(self, data):
        peer.rtcp.add(data)
        await handle_rtcp(self, data)

    async def sent(self, data):
        peer.rtcp.add_sent(data)
        await send(self, data)

    RTCDtlsTransport._send_rtp = sent
    RTCDtlsTransport._handle_rtp_data = rtp
    RTCDtlsTransport._handle_rtcp_data = rtcp


async def main():
    peer = Peer()
    record(peer)
    commands = {
        "create_offer": peer.create_offer,
        "accept_answer": peer.accept_answer,
        "accept_offer": peer.accept_offer,
        "report": peer.report,
        "record": peer.record,
        "recorded": peer.recorded,
        "tone": peer.tone,
        "close": peer.close,
    }
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        command = json.loads(line)
        try:
            reply = await commands[command["cmd"]](command)
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
        if command["cmd"] == "close":
            break


asyncio.run(main())
