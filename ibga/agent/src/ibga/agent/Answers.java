package ibga.agent;

import java.util.ArrayDeque;
import java.util.Deque;

/** Remembers the last answers, and what is wrong with the FIFO; both are part of every report. */
final class Answers {
    private static final int KEPT = 16;

    private static final class Answer {
        final Object id;
        final String error;

        Answer(Object id, String error) {
            this.id = id;
            this.error = error;
        }
    }

    private final Deque<Answer> answers = new ArrayDeque<Answer>();
    private String fifoError;

    /** An error of null means done. */
    synchronized void add(Object id, String error) {
        answers.addLast(new Answer(id, error));
        if (answers.size() > KEPT) {
            answers.removeFirst();
        }
    }

    /** Whether a command with this id was answered: a sender that repeats itself must not act twice. */
    synchronized boolean knows(Object id) {
        for (Answer answer : answers) {
            if (answer.id.equals(id)) {
                return true;
            }
        }
        return false;
    }

    synchronized void fifoFailed(String error) {
        fifoError = error;
    }

    synchronized void write(Sink out) {
        if (fifoError != null) {
            out.key("fifo_error").text(fifoError);
        }
        out.key("answered").array();
        for (Answer answer : answers) {
            out.object().key("id");
            if (answer.id instanceof Long) {
                out.number((Long) answer.id);
            } else {
                out.text((String) answer.id);
            }
            out.key("ok").bool(answer.error == null).key("error").text(answer.error).endObject();
        }
        out.endArray();
    }
}
