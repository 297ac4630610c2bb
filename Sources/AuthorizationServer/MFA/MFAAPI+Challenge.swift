import Foundation
import OAuth
import Storage

extension MFAAPI {
    /// Where a request comes from, and what it reads.
    package struct Visitor: Sendable {
        let address: String
        let forwarded: ForwardedAddress
        let language: String?

        package init(address: String, forwarded: ForwardedAddress, language: String?) {
            (self.address, self.forwarded, self.language) = (address, forwarded, language)
        }
    }

    /// `POST /mfa/challenge`: has the user of a login that waits asked for a factor, and sends the code where one is sent.
    /// - Throws: ``OAuthError``.
    package func challenge(
        _ parameters: Parameters, authorizationHeader: String?, certificate: ClientCertificate?, _ visitor: Visitor
    ) async throws -> JSONObject {
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: certificate)
        let client = try await ClientAuthenticator(services: services).authenticate(credentials).client
        let sent = Secret(try parameters.require("mfa_token"))
        let opened = try await MFATokens(services: services).open(sent, of: client)
        let types = Set((parameters["challenge_type"] ?? "otp oob").split(separator: " ").map(String.init))
        guard types.isSubset(of: ["otp", "oob"]) else {
            throw OAuthError(
                .unsupportedChallengeType, "challenge_type is not supported",
                hint: "Send otp, oob, or both with a space between them.")
        }
        guard let user = try await services.stores.users.find(opened.token.userID), !user.isBlocked else {
            throw OAuthError(.invalidGrant, "user is blocked", reason: .userIsBlocked)
        }
        let factors = SecondFactors(services: services)
        let enrolled = try await factors.enrolled(user.id)
        let usable = enrolled.factors(
            try await services.configuration.sections().multiFactor,
            after: try await factors.firstFactor(opened.login.connection))
        let factor = try choose(
            usable.compactMap(MultiFactorSettings.Factor.init(methodType:)), types, parameters["authenticator_id"],
            opened.login.demand, enrolled, user)
        guard let channel = OutOfBandCodes.Channel(factor), let address = enrolled.address(of: channel) else {
            return ["challenge_type": "otp"]
        }
        // Who cannot redeem the code has none sent.
        try client.require(.mfaOOB)
        let oobCode = try await send(
            by: channel, to: address, of: user, opened.token.digest, client: client,
            visitor.forwarded.counted(for: client, else: visitor.address), visitor.language)
        try await keep(
            WaitingLogin.Challenge(digest: oobCode.digest, channel: channel, address: address, isEnrollment: false),
            opened.token.digest)
        return ["challenge_type": "oob", "oob_code": .string(oobCode.text), "binding_method": "prompt"]
    }

    /// The factor that a request means: the one that it names, else the safest that it takes and the login wants.
    private func choose(
        _ usable: [MultiFactorSettings.Factor], _ types: Set<String>, _ id: String?, _ demand: FactorDemand?,
        _ enrolled: SecondFactors.Enrolled, _ user: User
    ) throws(OAuthError) -> MultiFactorSettings.Factor {
        guard !usable.isEmpty else {
            throw OAuthError(
                .associationRequired,
                "User is not enrolled. You can use /mfa/associate endpoint to enroll the first authenticator.")
        }
        func takes(_ factor: MultiFactorSettings.Factor) -> Bool {
            switch factor {
            case .otp: types.contains("otp")
            case .sms, .email: types.contains("oob")
            case .recoveryCode: false
            }
        }
        if let id {
            let named = usable.first { self.id(of: $0, enrolled, user) == id }
            guard let named else {
                throw .invalidRequest(
                    "The user has no such authenticator", hint: "GET /mfa/authenticators lists them.")
            }
            if takes(named) { return named }
        } else {
            let wanted = demand?.kind == .enrollment ? nil : demand?.factors
            let found = usable.filter(takes)
            if let factor = found.first(where: { wanted?.contains($0.methodType) ?? true }) ?? found.first {
                return factor
            }
        }
        throw OAuthError(
            .unsupportedChallengeType, "User does not have any authenticator of the challenge types",
            hint: "GET /mfa/authenticators lists what the user has; a recovery code needs no challenge.")
    }

    // MARK: Enrolment

    /// `POST /mfa/associate`: begins to enrol a factor, which its first code at the token endpoint confirms.
    /// - Throws: ``OAuthError``.
    package func associate(
        _ body: JSONObject, _ presented: PresentedAccessToken?, _ visitor: Visitor
    ) async throws -> JSONObject {
        let caller = try await caller(presented, .enroll, at: "mfa/associate")
        let wanted = try Association(body)
        let settings = try await services.configuration.sections().multiFactor
        let factors = SecondFactors(services: services)
        let channel = try await factors.firstFactor(caller.connection)
        guard settings.isEnabled(wanted.factor) else { throw OAuthError.turnedOff(wanted.factor) }
        let recoveryCode = RecoveryCode.make()
        var (enrollment, challenge) = (WaitingLogin.Enrollment(), WaitingLogin.Challenge?.none)
        // Whoever may not enrol has nothing sent to anybody.
        _ = try await services.stores.database.read { [enrollment] transaction in
            try Self.begun(
                caller, enrollment, nil, wanted.factor, settings, channel, at: services.now(), in: transaction)
        }
        var (answer, oobCode): (JSONObject, Secret?) = (["authenticator_type": .string(wanted.type)], nil)
        switch wanted {
        case .otp:
            let secret = Base32.encode(TOTP.newSecret())
            enrollment.sealedSecret = try services.secret.box.seal(secret)
            let tenant = try await services.configuration.settings()
            answer["secret"] = .string(secret)
            answer["barcode_uri"] = .string(factors.keyURI(secret, for: caller.user, settings: tenant))
        case .phone(let number):
            guard channel != .sms else { throw Self.sameChannel }
            let sent = try await send(
                by: .sms, to: number, of: caller.user, caller.digest, client: caller.token?.client, visitor.address,
                visitor.language, isEnrollment: true)
            enrollment.number = number
            challenge = WaitingLogin.Challenge(
                digest: sent.digest, channel: .sms, address: number, isEnrollment: true)
            oobCode = sent
            (answer["oob_channel"], answer["binding_method"]) = ("sms", "prompt")
        }
        answer["oob_code"] = oobCode.map { .string($0.text) }
        let digest = RecoveryCode.digest(recoveryCode)
        let getsCode = try await services.stores.database.write { [enrollment, challenge, services] transaction in
            try UserStore.lock(caller.user.id, in: transaction)
            if caller.opened != nil {
                _ = try MFATokens(services: services).hold(caller.digest, of: nil, in: transaction)
            }
            var enrollment = enrollment
            let getsCode =
                try settings.isEnabled(.recoveryCode)
                && RecoveryCodeStore.createdAt(of: caller.user.id, in: transaction) == nil
            if getsCode { enrollment.recoveryCodeDigest = digest }
            let login = try Self.begun(
                caller, enrollment, challenge, wanted.factor, settings, channel, at: services.now(), in: transaction)
            let end = services.now().addingTimeInterval(Double(MFATokens.lifetime))
            try MFATokenStore.save(
                MFAToken(
                    digest: caller.digest,
                    clientID: caller.opened?.token.clientID ?? caller.token?.client.clientID ?? "",
                    userID: caller.user.id, sealedLogin: services.secret.box.seal(JSON.text(login)),
                    expiresAt: caller.opened?.token.expiresAt ?? min(end, login.apiToken?.end ?? end)),
                in: transaction)
            return getsCode
        }
        if getsCode { answer["recovery_codes"] = [.string(recoveryCode)] }
        return answer
    }

    /// The login that waits for the first code of the factor.
    /// - Throws: ``OAuthError`` `access_denied` where the user may not add it, or has one of the kind.
    private static func begun(
        _ caller: Caller, _ enrollment: WaitingLogin.Enrollment, _ challenge: WaitingLogin.Challenge?,
        _ factor: MultiFactorSettings.Factor, _ settings: MultiFactorSettings,
        _ channel: SecondFactors.FirstFactorChannel, at now: Date, in transaction: any SQLTransaction
    ) throws -> WaitingLogin {
        var login = caller.opened?.login ?? WaitingLogin(connection: caller.connection)
        if let token = caller.token {
            login.apiToken = WaitingLogin.APIToken(
                scope: token.scope.filter { !Scope.isReserved($0) }.text, expiresAt: token.claims["exp"]?.integer ?? 0,
                keyThumbprint: token.confirmation.keyThumbprint,
                certificateThumbprint: token.confirmation.certificateThumbprint)
            // The password may be another one by the time of the first code, or the user blocked.
            login.firstFactor = try FirstFactor(of: caller.user.id, at: now, in: transaction)
            // What the access token says of a factor counts for whatever is enrolled with it.
            if caller.hasPassed { login.passed = ["mfa"] }
        }
        try SecondFactors.requireMayEnroll(login, of: caller.user.id, settings, channel, in: transaction)
        let enrolled = try SecondFactors.enrolled(caller.user.id, in: transaction)
        guard factor == .otp ? enrolled.authenticator == nil : enrolled.phone == nil else {
            throw OAuthError.accessDenied(
                "User is already enrolled.", hint: "A user has one \(factor.rawValue) at most: remove it first.")
        }
        (login.enrollment, login.challenge) = (enrollment, challenge)
        return login
    }

    private static let sameChannel = OAuthError.accessDenied(
        "The first factor was a text message",
        hint: "Another one would be no second factor: enrol otp.")

    private func send(
        by channel: OutOfBandCodes.Channel, to address: String, of user: User, _ digest: String, client: Client?,
        _ visitor: String, _ language: String?, isEnrollment: Bool = false
    ) async throws -> Secret {
        let oobCode = Secret.random()
        do {
            try await OutOfBandCodes(services: services, place: "mfa_token \(digest) \(oobCode.digest)").send(
                by: channel, to: address, of: user, client: client, visitor: visitor, language: language,
                isEnrollment: isEnrollment)
        } catch let refusal as OutOfBandCodes.Refusal {
            throw OAuthError(refusal)
        }
        return oobCode
    }

    /// Notes which code was sent last.
    private func keep(_ challenge: WaitingLogin.Challenge, _ digest: String) async throws {
        let tokens = MFATokens(services: services)
        try await services.stores.database.write { transaction in
            var login = try tokens.hold(digest, of: nil, in: transaction).login
            login.challenge = challenge
            try tokens.save(login, digest, in: transaction)
        }
    }
}

/// What `/mfa/associate` is asked for.
enum Association: Sendable {
    case otp
    /// - Parameter number: in E.164.
    case phone(number: String)

    var factor: MultiFactorSettings.Factor { if case .otp = self { .otp } else { .sms } }
    /// Auth0's `authenticator_type`.
    var type: String { if case .otp = self { "otp" } else { "oob" } }

    /// - Throws: ``OAuthError`` `invalid_request`.
    init(_ body: JSONObject) throws(OAuthError) {
        let types = try Self.texts("authenticator_types", of: body)
        switch types {
        case ["otp"]: self = .otp
        case ["oob"]:
            let channels = try Self.texts("oob_channels", of: body)
            guard channels == ["sms"] else {
                throw .invalidRequest(
                    channels == ["email"] ? "An e-mail address is not enrolled" : "oob_channels is not supported",
                    hint:
                        "oob_channels is [\"sms\"]; a verified e-mail address is a factor by itself, where the tenant "
                        + "has turned email on.")
            }
            guard let number = body["phone_number"]?.string.flatMap(PhoneNumber.e164) else {
                throw .invalidRequest(
                    "phone_number is not valid", hint: "Phone numbers are in E.164, such as +4915112345678.")
            }
            self = .phone(number: number)
        default:
            throw .invalidRequest(
                "authenticator_types is not supported", hint: "authenticator_types is [\"otp\"] or [\"oob\"].")
        }
    }

    private static func texts(_ name: String, of body: JSONObject) throws(OAuthError) -> [String] {
        guard let value = body[name], value != .null else { throw .missingParameter(name) }
        let texts = (value.array ?? [value]).compactMap(\.string)
        guard texts.count == (value.array?.count ?? 1) else {
            throw .invalidRequest("\(name) is not valid", hint: "It is a list of texts.")
        }
        return texts
    }
}

extension OutOfBandCodes.Channel {
    init?(_ factor: MultiFactorSettings.Factor) {
        switch factor {
        case .sms: self = .sms
        case .email: self = .email
        case .otp, .recoveryCode: return nil
        }
    }
}

extension OAuthError {
    init(_ refusal: OutOfBandCodes.Refusal) {
        switch refusal {
        case .tooManyRequests(let wait):
            self.init(.tooManyRequests, "Too many codes were asked for; try again later.", retryAfter: wait)
        case .notSent:
            self.init(
                .temporarilyUnavailable, "The code cannot be sent",
                hint: "Set up what sends it: the tenant's e-mail provider, or the SMS gateway of its sms connection.")
        }
    }
}
