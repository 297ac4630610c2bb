// A relying party made of coreos/go-oidc: prints the URL for the browser as JSON, reads what the browser has brought to
// the callback, and prints what it has verified.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"os"
	"strings"

	oidc "github.com/coreos/go-oidc"
	"golang.org/x/oauth2"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	must(err)
	config := oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		RedirectURL:  os.Getenv("REDIRECT_URI"),
		Endpoint:     provider.Endpoint(),
		Scopes:       strings.Fields(os.Getenv("SCOPE")),
	}
	state, nonce := random(), random()
	say(map[string]interface{}{"url": config.AuthCodeURL(
		state, oidc.Nonce(nonce),
		oauth2.SetAuthURLParam("response_type", os.Getenv("RESPONSE_TYPE")),
		oauth2.SetAuthURLParam("response_mode", os.Getenv("RESPONSE_MODE")))})

	var answer map[string]string
	must(json.NewDecoder(os.Stdin).Decode(&answer))
	if answer["state"] != state {
		must(errors.New("state did not match"))
	}
	if answer["error"] != "" {
		must(errors.New(answer["error"] + ": " + answer["error_description"]))
	}
	verify := func(raw string) *oidc.IDToken {
		token, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
		must(err)
		if token.Nonce != nonce {
			must(errors.New("nonce did not match"))
		}
		return token
	}

	result := map[string]interface{}{}
	accessToken := answer["access_token"]
	if raw := answer["id_token"]; raw != "" {
		token := verify(raw)
		if accessToken != "" {
			must(token.VerifyAccessToken(accessToken))
		}
		claims := claimsOf(token)
		if code := answer["code"]; code != "" && claims["c_hash"] != leftHalf(code) {
			must(errors.New("c_hash did not match"))
		}
		result["front_channel"] = claims
	}
	if answer["code"] != "" {
		tokens, err := config.Exchange(ctx, answer["code"])
		must(err)
		raw, _ := tokens.Extra("id_token").(string)
		token := verify(raw)
		if token.AccessTokenHash != "" {
			must(token.VerifyAccessToken(tokens.AccessToken))
		}
		result["id_token"] = claimsOf(token)
		accessToken = tokens.AccessToken
	}
	if accessToken != "" {
		who, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: accessToken}))
		must(err)
		userInfo := map[string]interface{}{}
		must(who.Claims(&userInfo))
		result["userinfo"] = userInfo
	}
	say(result)
}

func claimsOf(token *oidc.IDToken) (claims map[string]interface{}) {
	must(token.Claims(&claims))
	return claims
}

// leftHalf is the hash of OpenID Connect Core §3.3.2.11 for RS256, the only algorithm that the verifier accepts.
func leftHalf(text string) string {
	digest := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(digest[:16])
}

func random() string {
	bytes := make([]byte, 16)
	_, err := rand.Read(bytes)
	must(err)
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func say(value interface{}) {
	must(json.NewEncoder(os.Stdout).Encode(value))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
