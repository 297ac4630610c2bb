#ifndef CJAVASCRIPTCORE_H
#define CJAVASCRIPTCORE_H

// JavaScriptCore's C interface as a table: the library is loaded where scripts run, and by nobody else. The functions have
// their names and contracts there, without the prefix JS: https://developer.apple.com/documentation/javascriptcore

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef const struct OpaqueJSContextGroup *JSContextGroup;
typedef struct OpaqueJSContext *JSGlobalContext;
typedef const struct OpaqueJSContext *JSContext;
typedef struct OpaqueJSString *JSString;
typedef struct OpaqueJSClass *JSClass;
typedef const struct OpaqueJSValue *JSValue;
typedef struct OpaqueJSValue *JSObject;
typedef uint16_t JSCharacter;

/// A function of ours that scripts call; what it leaves in `exception` is thrown.
typedef JSValue _Nullable (*JSNative)(
    JSContext context, JSObject function, JSObject receiver, size_t count, const JSValue _Nonnull *_Nullable arguments,
    JSValue _Nullable *_Nullable exception);

/// JSClassDefinition: what makes an object callable.
struct JSClassDefinition {
    int version;
    unsigned attributes;
    const char *_Nullable className;
    JSClass _Nullable parentClass;
    const void *_Nullable staticValues;
    const void *_Nullable staticFunctions;
    const void *_Nullable initialize;
    const void *_Nullable finalize;
    const void *_Nullable hasProperty;
    const void *_Nullable getProperty;
    const void *_Nullable setProperty;
    const void *_Nullable deleteProperty;
    const void *_Nullable getPropertyNames;
    JSNative _Nullable callAsFunction;
    const void *_Nullable callAsConstructor;
    const void *_Nullable hasInstance;
    const void *_Nullable convertToType;
};

/// JSTypedArrayType.
enum { JSTypedArrayUint8 = 3 };

struct JSEngine {
    /// The library's path, as it was found.
    const char *library;

    JSContextGroup _Nonnull (*_Nonnull ContextGroupCreate)(void);
    void (*_Nonnull ContextGroupRelease)(JSContextGroup group);
    JSGlobalContext _Nonnull (*_Nonnull GlobalContextCreateInGroup)(JSContextGroup _Nullable group, JSClass _Nullable globalClass);
    void (*_Nonnull GlobalContextRelease)(JSGlobalContext context);
    JSObject _Nonnull (*_Nonnull ContextGetGlobalObject)(JSContext context);
    void (*_Nonnull GarbageCollect)(JSContext context);

    JSValue _Nullable (*_Nonnull EvaluateScript)(
        JSContext context, JSString script, JSObject _Nullable receiver, JSString _Nullable url, int line,
        JSValue _Nullable *_Nullable exception);

    JSClass _Nonnull (*_Nonnull ClassCreate)(const struct JSClassDefinition *definition);
    void (*_Nonnull ClassRelease)(JSClass type);
    JSObject _Nonnull (*_Nonnull ObjectMake)(JSContext context, JSClass _Nullable type, void *_Nullable data);
    void *_Nullable (*_Nonnull ObjectGetPrivate)(JSObject object);
    JSObject _Nullable (*_Nonnull ObjectMakeFunction)(
        JSContext context, JSString _Nullable name, unsigned count, const JSString _Nonnull *_Nullable parameters,
        JSString body, JSString _Nullable url, int line, JSValue _Nullable *_Nullable exception);
    JSValue _Nullable (*_Nonnull ObjectCallAsFunction)(
        JSContext context, JSObject function, JSObject _Nullable receiver, size_t count,
        const JSValue _Nonnull *_Nullable arguments, JSValue _Nullable *_Nullable exception);
    JSObject _Nullable (*_Nonnull ObjectMakeError)(
        JSContext context, size_t count, const JSValue _Nonnull *_Nullable arguments,
        JSValue _Nullable *_Nullable exception);
    void (*_Nonnull ObjectSetProperty)(
        JSContext context, JSObject object, JSString name, JSValue value, unsigned attributes,
        JSValue _Nullable *_Nullable exception);
    JSValue _Nullable (*_Nonnull ObjectGetProperty)(
        JSContext context, JSObject object, JSString name, JSValue _Nullable *_Nullable exception);

    int (*_Nonnull ValueGetTypedArrayType)(JSContext context, JSValue value, JSValue _Nullable *_Nullable exception);
    JSObject _Nullable (*_Nonnull ObjectMakeTypedArray)(
        JSContext context, int type, size_t length, JSValue _Nullable *_Nullable exception);
    /// Where the array's buffer begins: a view's offset comes on top.
    void *_Nullable (*_Nonnull ObjectGetTypedArrayBytesPtr)(
        JSContext context, JSObject object, JSValue _Nullable *_Nullable exception);
    size_t (*_Nonnull ObjectGetTypedArrayByteLength)(
        JSContext context, JSObject object, JSValue _Nullable *_Nullable exception);
    size_t (*_Nonnull ObjectGetTypedArrayByteOffset)(
        JSContext context, JSObject object, JSValue _Nullable *_Nullable exception);

    bool (*_Nonnull ValueIsUndefined)(JSContext context, JSValue value);
    bool (*_Nonnull ValueIsObject)(JSContext context, JSValue value);
    JSValue _Nonnull (*_Nonnull ValueMakeUndefined)(JSContext context);
    JSValue _Nonnull (*_Nonnull ValueMakeBoolean)(JSContext context, bool value);
    JSValue _Nonnull (*_Nonnull ValueMakeNumber)(JSContext context, double value);
    JSValue _Nonnull (*_Nonnull ValueMakeString)(JSContext context, JSString string);
    bool (*_Nonnull ValueToBoolean)(JSContext context, JSValue value);
    double (*_Nonnull ValueToNumber)(JSContext context, JSValue value, JSValue _Nullable *_Nullable exception);
    JSString _Nullable (*_Nonnull ValueToStringCopy)(
        JSContext context, JSValue value, JSValue _Nullable *_Nullable exception);
    void (*_Nonnull ValueProtect)(JSContext context, JSValue value);
    void (*_Nonnull ValueUnprotect)(JSContext context, JSValue value);

    JSString _Nonnull (*_Nonnull StringCreateWithCharacters)(const JSCharacter *_Nullable characters, size_t count);
    void (*_Nonnull StringRelease)(JSString string);
    size_t (*_Nonnull StringGetLength)(JSString string);
    const JSCharacter *_Nullable (*_Nonnull StringGetCharactersPtr)(JSString string);

    // What follows the library need not have.

    /// Calls `function` with each promise that is rejected and that nobody handles, and the reason.
    void (*_Nullable GlobalContextSetUnhandledRejectionCallback)(
        JSGlobalContext context, JSObject function, JSValue _Nullable *_Nullable exception);
    void (*_Nullable SynchronousGarbageCollectForDebugging)(JSContext context);
    int (*_Nullable setBooleanOption)(const char *name, int value);
    int (*_Nullable setUnsignedOption)(const char *name, unsigned value);
    int (*_Nullable setSizeOption)(const char *name, size_t value);
};

/// Loads the library `name`; where that is NULL, the system's. Once a process.
/// Answers NULL and says why in `problem` where it is not there, or is another one.
const struct JSEngine *_Nullable JSEngineOpen(const char *_Nullable name, char *problem, size_t size);

/// ObjectGetPrivate of the library that was loaded: for functions that scripts call, which know nothing but their arguments.
void *_Nullable JSEngineGetPrivate(JSObject object);

#pragma clang assume_nonnull end

#endif
