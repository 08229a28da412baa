//! What an ELF program takes of a microcontroller's flash and RAM.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionFlags, SectionKind, elf};

/// Bytes by kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Sections {
    /// Code.
    pub text: u64,
    /// Constants.
    pub rodata: u64,
    /// Variables with a first value, which take flash and RAM.
    pub data: u64,
    /// Variables that begin as zero, or as they are.
    pub bss: u64,
    /// The interrupt vectors, whose number is the chip's and not the program's doing.
    pub vector_table: u64,
}

/// Adds up the sections of the program at `path`.
///
/// # Errors
/// When it cannot be read or is no ELF file.
pub fn of(path: &Path) -> Result<Sections> {
    let doing = || format!("read the sections of {}", path.display());
    let bytes = fs::read(path).with_context(doing)?;
    let file = object::File::parse(bytes.as_slice()).with_context(doing)?;
    let mut sections = Sections::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        let flag = |flag: elf::SectionFlags| sh_flags.0 & flag.0 != 0;
        // What is not allocated (debug information, symbols) never reaches the chip.
        if !flag(elf::SHF_ALLOC) {
            continue;
        }
        let kind = match section.name().with_context(doing)? {
            ".vector_table" => &mut sections.vector_table,
            // riscv-rt gives these all the RAM that is left; they are no part of the program.
            ".stack" | ".heap" => continue,
            _ if flag(elf::SHF_EXECINSTR) => &mut sections.text,
            _ if section.kind() == SectionKind::UninitializedData => &mut sections.bss,
            _ if flag(elf::SHF_WRITE) => &mut sections.data,
            _ => &mut sections.rodata,
        };
        *kind += section.size();
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::process;

    /// A program with a known number of bytes of each kind, made by the compiler for the host.
    #[test]
    fn bytes_are_counted_where_they_belong() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let source = folder.path().join("a.rs");
        fs::write(
            &source,
            "#![no_std]\n\
             #[unsafe(no_mangle)] #[unsafe(link_section = \".rodata.x\")] pub static CONSTANT: [u8; 32] = [1; 32];\n\
             #[unsafe(no_mangle)] #[unsafe(link_section = \".data.x\")] pub static mut VARIABLE: [u8; 64] = [2; 64];\n\
             #[unsafe(no_mangle)] pub static mut ZERO: [u8; 128] = [0; 128];\n\
             #[unsafe(no_mangle)] #[unsafe(link_section = \".vector_table\")] pub static VECTORS: [u8; 16] = [3; 16];\n\
             #[unsafe(no_mangle)] pub extern \"C\" fn code() -> u32 { 7 }\n",
        )?;
        let object = folder.path().join("a.o");
        let mut rustc = Command::new("rustc");
        rustc.args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=obj",
            "-Copt-level=s",
            "-Cpanic=abort",
            "-o",
        ]);
        process::capture(rustc.arg(&object).arg(&source), Duration::from_secs(120))?
            .require_success()?;
        let sections = of(&object)?;
        assert_eq!((sections.data, sections.bss, sections.vector_table), (64, 128, 16));
        assert!(sections.text > 0, "{sections:?}");
        assert!(sections.rodata >= 32, "{sections:?}");
        Ok(())
    }
}
