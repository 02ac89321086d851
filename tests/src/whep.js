// A WHEP player that restarts ICE. Evaluated in the page; defines the global `whep`.
"use strict";

globalThis.whep = {
  // Calls an endpoint with a new peer connection, `this.pc`.
  async play(url) {
    this.pc = new RTCPeerConnection();
    this.pc.addTransceiver("audio", { direction: "recvonly" });
    await this.pc.setLocalDescription();
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: this.pc.localDescription.sdp,
    });
    if (response.status !== 201) throw new Error(await response.text());
    this.session = response.headers.get("location");
    this.etag = response.headers.get("etag");
    this.answer = await response.text();
    await this.pc.setRemoteDescription({ type: "answer", sdp: this.answer });
  },

  // Restarts ICE (RFC 9725 §4.3.3); the user name fragment of the server's new credentials.
  async restart() {
    await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart: true }));
    const response = await this.patch("*", this.fragment(this.pc.localDescription.sdp));
    if (response.status !== 200) throw new Error(await response.text());
    this.etag = response.headers.get("etag");
    const fragment = await response.text();
    for (const name of ["ice-ufrag", "ice-pwd"]) {
      const [line] = fragment.match(new RegExp(`^a=${name}:.*$`, "m"));
      this.answer = this.answer.replace(new RegExp(`^a=${name}:.*$`, "gm"), line);
    }
    await this.pc.setRemoteDescription({ type: "answer", sdp: this.answer });
    return fragment.match(/^a=ice-ufrag:(\S+)/m)[1];
  },

  // Sends the candidates of the newest ICE session; the status.
  async trickle() {
    return (await this.patch(this.etag, this.fragment(this.pc.localDescription.sdp))).status;
  },

  patch(tag, body) {
    const headers = { "content-type": "application/trickle-ice-sdpfrag", "if-match": tag };
    return fetch(this.session, { method: "PATCH", headers, body });
  },

  // The ICE part of a description (RFC 8840 §9).
  fragment(sdp) {
    const kept = /^(a=(group|ice-|mid|candidate|end-of-candidates)|m=)/;
    return sdp.split("\r\n").filter((line) => kept.test(line)).join("\r\n") + "\r\n";
  },

  // What came in, and over which ICE session of the server.
  async stats() {
    const entries = [...(await this.pc.getStats()).values()];
    const inbound = entries.find((entry) => entry.type === "inbound-rtp");
    return {
      state: this.pc.connectionState,
      received: inbound?.packetsReceived ?? 0,
      lost: inbound?.packetsLost ?? 0,
      ssrc: inbound?.ssrc ?? null,
      remote: this.pc.remoteDescription?.sdp.match(/^a=ice-ufrag:(\S+)/m)?.[1] ?? null,
    };
  },
};
