//! Send live audio to browsers and other WebRTC peers: the AudioTransmitter.
