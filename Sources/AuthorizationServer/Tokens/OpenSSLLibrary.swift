import COpenSSL

/// The library libcrypto, which the server shares with the database's client.
package enum OpenSSLLibrary {
    /// Leaves the library's memory to the end of the process. Its own clean-up at `exit` would run while threads that
    /// have used TLS still end, and both would free what those threads kept.
    ///
    /// To be called before anything else uses the library: later it changes nothing.
    package static func forgoCleanUp() { OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) }
}
