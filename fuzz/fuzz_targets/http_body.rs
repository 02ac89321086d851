//! `http_body` under libFuzzer; built without it, the program takes standard input.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    skywave_fuzz::http_body(data);
});

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    let mut data = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut data)?;
    println!("good: {}", skywave_fuzz::http_body(&data));
    Ok(())
}
