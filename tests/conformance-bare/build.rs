//! Gives the linker the memory map of the target's emulated machine.
//!
//! The machines are chosen for their room: the cases grow with the project, and each program holds all of them. Which
//! boards an application may fit on is the business of the examples and of the size ceilings.

use std::{env, fs, io, path::PathBuf};

/// The Arm machines: mps2-an386 and mps2-an385, code memory and data memory of 4 MiB each. The stack is what `.bss`
/// leaves of the latter.
const MPS2: &str = "MEMORY {
  FLASH : ORIGIN = 0x00000000, LENGTH = 4M
  RAM : ORIGIN = 0x20000000, LENGTH = 4M
}";

/// QEMU's RISC-V machine `virt` with all in RAM; 16 of its 128 MiB for program, data and stack.
const VIRT: &str = "MEMORY { RAM : ORIGIN = 0x80000000, LENGTH = 16M }
REGION_ALIAS(\"REGION_TEXT\", RAM);
REGION_ALIAS(\"REGION_RODATA\", RAM);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);";

fn main() -> io::Result<()> {
    let target = env::var("TARGET").unwrap_or_default();
    let (memory, scripts): (&str, &[&str]) = match target.as_str() {
        target if target.starts_with("thumb") => (MPS2, &["link.x"]),
        target if target.starts_with("riscv32") => (VIRT, &["memory.x", "link.x"]),
        other => {
            return Err(io::Error::other(format!(
                "building for {other}: there is no machine of that target here; \
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
    println!("cargo::rerun-if-env-changed=TARGET");
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
