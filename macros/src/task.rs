//! `#[molen::task]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{
    Error, FnArg, Ident, ItemFn, LitInt, Pat, Path, Result, ReturnType, Token, Type, parse_quote,
};

struct Options {
    pool_size: LitInt,
    core: Path,
}

fn options(attribute: TokenStream) -> Result<Options> {
    let mut options = Options { pool_size: parse_quote!(1), core: parse_quote!(::molen) };
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("pool_size") {
            options.pool_size = meta.value()?.parse()?;
            if options.pool_size.base10_parse::<usize>()? == 0 {
                return Err(meta.error("`pool_size` must be at least 1"));
            }
            Ok(())
        } else if meta.path.is_ident("crate") {
            meta.input.parse::<Token![=]>()?;
            options.core = meta.input.call(Path::parse_mod_style)?;
            Ok(())
        } else {
            Err(meta.error("expected `pool_size = N` or `crate = path`"))
        }
    });
    parser.parse2(attribute)?;
    Ok(options)
}

fn refuse(item: &ItemFn) -> Result<()> {
    let signature = &item.sig;
    if signature.asyncness.is_none() {
        return Err(Error::new(signature.fn_token.span(), "a task must be an `async fn`"));
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        return Err(Error::new(
            signature.generics.span(),
            "a task cannot be generic: its static needs one size",
        ));
    }
    if let Some(abi) = &signature.abi {
        return Err(Error::new(abi.span(), "a task cannot have an ABI"));
    }
    if let Some(unsafety) = &signature.unsafety {
        return Err(Error::new(unsafety.span(), "a task cannot be `unsafe`"));
    }
    if signature.inputs.len() > 8 {
        return Err(Error::new(signature.inputs.span(), "a task takes at most eight arguments"));
    }
    Ok(())
}

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Options { pool_size, core } = options(attribute)?;
    let item: ItemFn = syn::parse2(item)?;
    refuse(&item)?;

    let mut names = Vec::<Ident>::new();
    let mut types = Vec::new();
    for (index, input) in item.sig.inputs.iter().enumerate() {
        let FnArg::Typed(argument) = input else {
            return Err(Error::new(input.span(), "a task cannot take `self`"));
        };
        if let Type::Reference(reference) = &*argument.ty
            && reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static")
        {
            return Err(Error::new(
                reference.span(),
                "a task outlives its caller: take the argument by value, or as `&'static`",
            ));
        }
        names.push(match &*argument.pat {
            Pat::Ident(name) => name.ident.clone(),
            _ => format_ident!("argument_{index}"),
        });
        types.push(&argument.ty);
    }
    let output = match &item.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, output) => quote!(#output),
    };

    let (attributes, visibility, name) = (&item.attrs, &item.vis, &item.sig.ident);
    // Another name, so that the body can start tasks of this function itself.
    let body = format_ident!("__{name}");
    let inner = ItemFn {
        attrs: Vec::new(),
        vis: syn::Visibility::Inherited,
        sig: syn::Signature { ident: body.clone(), ..item.sig.clone() },
        block: item.block.clone(),
    };
    Ok(quote! {
        #(#attributes)*
        #visibility fn #name(#(#names: #types),*) -> #core::task::Call<
            impl #core::task::pool::TaskFn<(#(#types,)*), Output = #output>,
            (#(#types,)*)
        > {
            #inner
            const __POOL_SIZE: usize = #pool_size;
            static __POOL: #core::task::pool::Pool<
                { #core::task::pool::pool_size::<_, _, __POOL_SIZE>(#body) },
                { #core::task::pool::pool_align::<_, _>(#body) },
            > = #core::task::pool::pool_bytes::<_, _, __POOL_SIZE, _, _>(#body);
            __POOL.call::<_, _, __POOL_SIZE>(#body, (#(#names,)*))
        }
    })
}
