//! `#[molen::main]`.

use crate::entry::{self, Options};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, Expr, ItemFn, Result};

/// What is said on bare metal to an attribute that names no backend.
const NO_BACKEND: &str = "on a microcontroller `#[molen::main]` must be told the loop's backend, \
     and the entry attribute of the chip's runtime goes below it: write \
     `#[molen::main(backend = &BOARD)]` and, in the next line, `#[cortex_m_rt::entry]` or \
     `#[riscv_rt::entry]`";

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut options = Options::new();
    let mut loop_factory: Option<Expr> = None;
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("loop_factory") {
            loop_factory = Some(meta.value()?.parse()?);
            Ok(())
        } else if options.parse(&meta)? {
            Ok(())
        } else {
            Err(meta.error(
                "expected `loop_factory = expression`, `backend = expression` or `crate = path`",
            ))
        }
    });
    parser.parse2(attribute)?;
    let item: ItemFn = syn::parse2(item)?;
    entry::refuse(&item, "the main function")?;
    if !item.sig.inputs.is_empty() {
        return Err(Error::new(item.sig.inputs.span(), "the main function takes no arguments"));
    }

    let molen = &options.molen;
    let (attributes, visibility, name) = (&item.attrs, &item.vis, &item.sig.ident);
    let inner = entry::inner(&item);
    let run = match loop_factory {
        None => quote!(#molen::run(#name())),
        Some(factory) => quote!(#molen::run_with_loop_factory(#factory, #name())),
    };
    // Where the type stands, so that an unfit one is shown there.
    let report = quote_spanned!(entry::output(&item).span()=> ::std::process::Termination::report);
    let on_bare_metal = match &options.backend {
        None => quote!(::core::compile_error!(#NO_BACKEND);),
        Some(backend) => {
            let run = if entry::never_returns(&item) { quote!(run_for_ever) } else { quote!(run) };
            quote! {
                #(#attributes)*
                #visibility fn #name() -> ! {
                    #inner
                    static LOOP: #molen::EventLoop = #molen::EventLoop::new();
                    #molen::entry::#run(&LOOP, #backend, #name())
                }
            }
        }
    };
    Ok(quote! {
        #[cfg(target_os = "none")]
        #on_bare_metal

        #[cfg(not(target_os = "none"))]
        #(#attributes)*
        #[allow(unreachable_code, reason = "it may say that it never returns")]
        #visibility fn #name() -> ::std::process::ExitCode {
            #inner
            match #run {
                ::core::result::Result::Ok(output) => {
                    #report(output)
                }
                ::core::result::Result::Err(error) => {
                    #molen::entry::end_if_interrupted(&error);
                    ::std::eprintln!("Error: {error}");
                    ::std::process::ExitCode::FAILURE
                }
            }
        }
    })
}
