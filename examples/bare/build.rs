//! Gives the linker the memory map of the target's board.

use std::{env, fs, io, path::PathBuf};

/// mps2-an386: code memory and data memory of 4 MiB each.
const MPS2_AN386: &str = "MEMORY {
  FLASH : ORIGIN = 0x00000000, LENGTH = 4M
  RAM : ORIGIN = 0x20000000, LENGTH = 4M
}";

const LM3S6965EVB: &str = "MEMORY {
  FLASH : ORIGIN = 0x00000000, LENGTH = 256K
  RAM : ORIGIN = 0x20000000, LENGTH = 64K
}";

/// QEMU's RISC-V machine `virt` with all in RAM; 4 MiB of it for the program.
const VIRT: &str = "MEMORY { RAM : ORIGIN = 0x80000000, LENGTH = 4M }
REGION_ALIAS(\"REGION_TEXT\", RAM);
REGION_ALIAS(\"REGION_RODATA\", RAM);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);";

fn main() -> io::Result<()> {
    let target = env::var("TARGET").unwrap_or_default();
    let (memory, scripts): (&str, &[&str]) = match target.as_str() {
        "thumbv6m-none-eabi" => (LM3S6965EVB, &["link.x"]),
        target if target.starts_with("thumb") => (MPS2_AN386, &["link.x"]),
        target if target.starts_with("riscv32") => (VIRT, &["memory.x", "link.x"]),
        other => {
            return Err(io::Error::other(format!(
                "building for {other}: there is no board of that target here; \
                 use --target thumbv7em-none-eabihf, thumbv6m-none-eabi or riscv32imac-unknown-none-elf"
            )));
        }
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("memory.x"), memory)?;
    println!("cargo::rustc-link-search={}", out.display());
    for script in scripts {
        println!("cargo::rustc-link-arg-bins=-T{script}");
    }
    // Where the text of what is logged is left for the computer to read.
    if env::var_os("CARGO_FEATURE_DEFMT").is_some() {
        println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    }
    println!("cargo::rerun-if-env-changed=TARGET");
    Ok(())
}
