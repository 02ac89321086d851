//! Audio sources, encoders and the arithmetic of the RTP clock.
