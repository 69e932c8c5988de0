import java.nio.file.*;
import java.security.*;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.*;
import java.util.*;
import java.util.regex.*;

/** Signs the bodies of bodies.json with the JDK and prints jdk.json: {@code java MakeVectors.java > jdk.json}. */
public class MakeVectors {
    public static void main(String[] arguments) throws Exception {
        var encoder = Base64.getEncoder();
        var lines = new ArrayList<String>();
        var bodies = Pattern.compile("\"([A-Za-z0-9+/=]*)\"").matcher(Files.readString(Path.of("bodies.json")))
                .results().map(match -> match.group(1)).toList();
        for (int bits : new int[] {1024, 2048, 4096}) {
            var factory = KeyFactory.getInstance("RSA");
            var pem = Files.readString(Path.of("rsa-" + bits + ".private.pem")).replaceAll("-----[A-Z ]*-----|\\s", "");
            var key = (RSAPrivateCrtKey) factory.generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
            var spki = factory.generatePublic(new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent())).getEncoded();
            for (String algorithm : List.of("SHA512withRSA", "MD5withRSA")) {
                for (String body : bodies) {
                    var signature = Signature.getInstance(algorithm);
                    signature.initSign(key);
                    signature.update(Base64.getDecoder().decode(body));
                    lines.add(String.format("{\"maker\": \"jdk\", \"algorithm\": \"%s\", \"bits\": %d, \"key\": \"%s\", \"body\": \"%s\", \"signature\": \"%s\"}",
                            algorithm, bits, encoder.encodeToString(spki), body, encoder.encodeToString(signature.sign())));
                }
            }
        }
        System.out.print("[\n" + String.join(",\n", lines) + "\n]\n");
    }
}
