package ibga.agent;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;

/**
 * Numbers components for as long as they live, without keeping them alive.
 *
 * By identity and not WeakHashMap: an application's component may define equals. Used on the
 * event dispatch thread only.
 */
final class Ids {
    private final Map<Object, Ref> byObject = new HashMap<Object, Ref>();
    private final Map<Integer, Ref> byId = new HashMap<Integer, Ref>();
    private final ReferenceQueue<Object> dead = new ReferenceQueue<Object>();
    private final Probe probe = new Probe();
    private int next = 1;

    int of(Object object) {
        probe.object = object;
        Ref known = byObject.get(probe);
        probe.object = null;
        if (known != null) {
            return known.id;
        }
        purge();
        Ref ref = new Ref(object, next++, dead);
        byObject.put(ref, ref);
        byId.put(ref.id, ref);
        return ref.id;
    }

    /** Returns null when it is gone, or never was. */
    Object find(int id) {
        Ref ref = byId.get(id);
        return ref == null ? null : ref.get();
    }

    private void purge() {
        for (Object ref = dead.poll(); ref != null; ref = dead.poll()) {
            byObject.remove(ref);
            byId.remove(((Ref) ref).id);
        }
    }

    private static final class Ref extends WeakReference<Object> {
        final int hash;
        final int id;

        Ref(Object object, int id, ReferenceQueue<Object> queue) {
            super(object, queue);
            this.hash = System.identityHashCode(object);
            this.id = id;
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }
    }

    /** A key for looking up that needs no allocation. */
    private static final class Probe {
        Object object;

        @Override
        public int hashCode() {
            return System.identityHashCode(object);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Ref && ((Ref) other).get() == object;
        }
    }
}
