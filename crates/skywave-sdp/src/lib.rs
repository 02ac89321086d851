//! SDP text to values and back, and the audio subset of JSEP's offer and answer.
