import Hummingbird

/// The one stylesheet, for light and dark.
struct Stylesheet: ResponseGenerator {
    func response(from request: Request, context: some RequestContext) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/css; charset=utf-8", .cacheControl: "max-age=300"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: Self.text)))
    }

    private static let text = """
        :root {
            color-scheme: light dark;
            --ground: light-dark(#f6f5f2, #121315);
            --card: light-dark(#ffffff, #1b1d20);
            --sunken: light-dark(#f3f2ee, #141618);
            --ink: light-dark(#1c1d1f, #ececea);
            --muted: light-dark(#5d6066, #a4a7ad);
            --line: light-dark(#e3e1db, #303338);
            --control: light-dark(#85878b, #7b7f86);
            --accent: light-dark(#0b6e5f, #5fd3bd);
            --on-accent: light-dark(#ffffff, #06231e);
            --danger: light-dark(#a8281e, #ff9d92);
        }

        * { box-sizing: border-box; }

        body {
            margin: 0;
            background: var(--ground);
            color: var(--ink);
            font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
        }

        main {
            display: grid;
            grid-template-columns: minmax(0, 1fr);
            gap: 1.25rem;
            max-width: 52rem;
            margin: 0 auto;
            padding: clamp(1rem, 4vw, 3rem) 1rem 4rem;
        }

        .hero, .card {
            margin: 0;
            padding: clamp(1.1rem, 4vw, 2rem);
            border: 1px solid var(--line);
            border-radius: 16px;
            background: var(--card);
        }

        h1 { margin: 0; font-size: clamp(1.5rem, 5vw, 2.1rem); line-height: 1.2; letter-spacing: -0.02em; }
        h2 { margin: 0 0 0.25rem; font-size: 1.15rem; }
        h3 { margin: 1rem 0 0.35rem; color: var(--muted); font-size: 0.85rem; font-weight: 600; }
        p { margin: 0.5rem 0; overflow-wrap: anywhere; }
        .lead { margin: 0.6rem 0 1.4rem; color: var(--muted); font-size: 1.08rem; }
        .note { color: var(--muted); font-size: 0.9rem; }
        .problem { border-top: 4px solid var(--danger); }
        .problem .actions { margin-top: 1.4rem; }

        .actions { display: flex; flex-wrap: wrap; gap: 0.6rem; }
        .actions form { display: contents; }

        .button {
            display: inline-flex;
            align-items: center;
            justify-content: center;
            min-height: 44px;
            padding: 0 1.2rem;
            border: 1px solid var(--control);
            border-radius: 10px;
            background: transparent;
            color: inherit;
            font: inherit;
            font-weight: 600;
            text-decoration: none;
            cursor: pointer;
        }

        .button:hover { border-color: var(--accent); }
        .button.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
        .button.primary:hover { filter: brightness(1.1); }
        .button:disabled { opacity: 0.5; cursor: not-allowed; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

        .notice {
            margin: 0;
            padding: 0.8rem 1.1rem;
            border-left: 4px solid var(--accent);
            border-radius: 8px;
            background: var(--card);
        }

        ol { margin: 0.6rem 0 0; padding-left: 1.4rem; }
        li { padding: 0.3rem 0 0.3rem 0.3rem; }
        li::marker { color: var(--accent); font-weight: 700; }

        dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.4rem 1.5rem; margin: 0.9rem 0 0; }
        dt { color: var(--muted); }
        dd { margin: 0; overflow-wrap: anywhere; }

        pre, code { font: 0.86rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
        pre { margin: 0; padding: 0.9rem 1rem; overflow-x: auto; border-radius: 10px; background: var(--sunken); }
        .card > p + pre { margin-top: 0.8rem; }
        .raw { white-space: pre-wrap; overflow-wrap: anywhere; }
        .status { margin-left: 0.4rem; font-weight: 600; }
        summary { margin-top: 1rem; padding: 0.5rem 0; color: var(--accent); font-weight: 600; cursor: pointer; }

        @media (max-width: 30rem) {
            .button { width: 100%; }
            dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
            dd { margin-bottom: 0.7rem; }
        }
        """
}
