//! The fuzz targets as plain functions, one a file: bytes of a stranger in, a panic where a promise
//! is broken.
//!
//! The programs in `fuzz_targets/` call them under libFuzzer (`cargo xtask fuzz`); the test
//! `replay` calls them on stable Rust with the captured input and with everything in `known_bad/`.
//!
//! ```
//! assert!(!skywave_fuzz::sdp_offer(b"v=0\r\n"), "nothing to answer");
//! ```

mod sdp_offer;

pub use sdp_offer::sdp_offer;
