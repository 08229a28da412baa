//! `#[molen::test]`.

use crate::entry::{self, Options};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, ItemFn, LitStr, Path, Result};

/// What is said on bare metal to an attribute that names no harness.
const NO_HARNESS: &str = "bare metal has no test harness of its own: write \
     `#[molen::test(harness = path)]` with the attribute of the one that you use, or run the \
     test on a desktop";

/// What is said on bare metal to a test by a clock that nobody has named.
const NO_BACKEND: &str = "on a microcontroller the real clock is the board's: write \
     `#[molen::test(backend = &BOARD)]`, or `#[molen::test(clock = \"manual\")]`";

#[derive(Clone, Copy, PartialEq)]
enum Clock {
    Real,
    Manual,
}

struct TestOptions {
    entry: Options,
    clock: Clock,
    harness: Option<Path>,
}

fn options(attribute: TokenStream) -> Result<TestOptions> {
    let mut options = TestOptions { entry: Options::new(), clock: Clock::Real, harness: None };
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("clock") {
            let clock: LitStr = meta.value()?.parse()?;
            options.clock = match clock.value().as_str() {
                "real" => Clock::Real,
                "manual" => Clock::Manual,
                _ => return Err(Error::new(clock.span(), "expected \"real\" or \"manual\"")),
            };
            Ok(())
        } else if meta.path.is_ident("harness") {
            options.harness = Some(meta.value()?.call(Path::parse_mod_style)?);
            Ok(())
        } else if options.entry.parse(&meta)? {
            Ok(())
        } else {
            Err(meta.error(
                "expected `clock = \"manual\"`, `harness = path`, `backend = expression` or \
                 `crate = path`",
            ))
        }
    });
    parser.parse2(attribute)?;
    Ok(options)
}

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let TestOptions { entry: Options { backend, molen }, clock, harness } = options(attribute)?;
    let item: ItemFn = syn::parse2(item)?;
    entry::refuse(&item, "a test")?;
    let arguments = item.sig.inputs.len();
    if clock == Clock::Real && arguments > 0 {
        return Err(Error::new(
            item.sig.inputs.span(),
            "a test by the real clock takes no arguments; with `clock = \"manual\"` it may take \
             the backend",
        ));
    }
    if arguments > 1 {
        return Err(Error::new(
            item.sig.inputs.span(),
            "a test takes at most one argument, the backend: `&'static TestBackend`",
        ));
    }

    let (attributes, visibility, name) = (&item.attrs, &item.vis, &item.sig.ident);
    let (inner, output) = (entry::inner(&item), entry::output(&item));
    let on_bare_metal = harness
        .is_none()
        .then_some(NO_HARNESS)
        .or_else(|| (clock == Clock::Real && backend.is_none()).then_some(NO_BACKEND));
    let refused = on_bare_metal.map(|text| {
        quote! {
            #[cfg(target_os = "none")]
            ::core::compile_error!(#text);
        }
    });
    let harness = match &harness {
        None => quote!(#[::core::prelude::v1::test]),
        Some(path) => quote!(#[#path]),
    };
    let run = match (clock, arguments) {
        (Clock::Manual, 0) => quote!(#molen::__run_manual_test!(_backend => #name())),
        (Clock::Manual, _) => quote!(#molen::__run_manual_test!(backend => #name(backend))),
        (Clock::Real, _) => quote!(#molen::__run_test!(#name(), #backend)),
    };
    let where_it_is = refused.as_ref().map(|_| quote!(#[cfg(not(target_os = "none"))]));
    Ok(quote! {
        #refused

        #where_it_is
        #harness
        #(#attributes)*
        #visibility fn #name() -> #output {
            #inner
            #run
        }
    })
}
